// Writes, as the process ends, what it has cost, into the file that BENCH_USAGE names.
import diagnostics from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const FIRST_REQUEST = 'undici:client:sendHeaders';

function cpuMs() {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return (userCPUTime + systemCPUTime) / 1000;
}

/** The most that this process has held. What the system tells of a process includes, on Linux, what its parent held before. */
function maxRssKb() {
  try {
    const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(peak);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

if (isMainThread && process.env.BENCH_USAGE) {
  let startCpuMs = null;
  const first = () => {
    startCpuMs = cpuMs();
    diagnostics.unsubscribe(FIRST_REQUEST, first);
  };
  diagnostics.subscribe(FIRST_REQUEST, first);
  process.on('exit', () => {
    const endedAt = performance.timeOrigin + performance.now();
    const usage = { endedAt, cpuMs: cpuMs(), startCpuMs, maxRssKb: maxRssKb() };
    writeFileSync(process.env.BENCH_USAGE, JSON.stringify(usage));
  });
}
