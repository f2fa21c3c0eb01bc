import { spawn } from 'node:child_process';

const FLAG = '--disable-wasm-trap-handler';
const FORWARDED = ['SIGTERM', 'SIGHUP'];

/**
 * Node's HTTP client reserves 10 GB of address space, and ends the process where that is limited (ulimit -v). There the
 * same command is started again without that reserve.
 * @returns {Promise<number | undefined>} its exit code; undefined: there is room, or no way to do with less
 */
export async function startedWithLess() {
  if (process.execArgv.includes(FLAG) || hasRoom()) return undefined;
  const args = [FLAG, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  // A terminal sends it to both: this one has only to wait.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function hasRoom() {
  try {
    return Boolean(new globalThis.WebAssembly.Memory({ initial: 1 }));
  } catch {
    return false;
  }
}
