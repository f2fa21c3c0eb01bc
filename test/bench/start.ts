import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { median, ms } from '../figures.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';
import type { Section } from './section.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = fileURLToPath(new URL('../../lib/sync-data.js', import.meta.url));
/** Gives a command a terminal, where the system has it. */
const SCRIPT = '/usr/bin/script';

/** How long it takes until the first byte is there, and with `end` until the process has ended. */
type Way = readonly [what: string, argv: readonly string[], until: 'first' | 'end', wanted?: string];

export function start(times = 15): Promise<Section> {
  return withRig({ realTime: true }, async (rig) => {
    await mkdir(rig.path('node_modules', '.bin'), { recursive: true });
    await symlink(ROOT, rig.path('node_modules', 'sync-data'));
    await symlink(COMMAND, rig.path('node_modules', '.bin', 'sync-data'));
    const onTerminal = [SCRIPT, '-qefc', `"${process.execPath}" "${COMMAND}"`, '/dev/null'];
    const ways: Way[] = [
      ['node -e 0', [process.execPath, '-e', '0'], 'end'],
      ['npx of a command that does nothing', ['npx', '--no-install', 'nothing'], 'end'],
      ['npx sync-data --help', ['npx', '--no-install', 'sync-data', '--help'], 'end', '≤ 700 ms'],
      ['the same without npx', [process.execPath, COMMAND, '--help'], 'end'],
      ['sync-data to the first line, in a pipe', [process.execPath, COMMAND], 'first', '≤ 700 ms'],
      ...(existsSync(SCRIPT)
        ? [['sync-data to the first line, on a terminal', onTerminal, 'first', '≤ 700 ms'] as const]
        : []),
    ];
    await symlink('/bin/true', rig.path('node_modules', '.bin', 'nothing'));

    const took = new Map<string, number[]>();
    // The first time fills the caches.
    for (let time = 0; time <= times; time += 1) {
      for (const [what, argv, until] of ways) {
        const one = await timed(rig, argv, until);
        if (time > 0) took.set(what, [...(took.get(what) ?? []), one]);
      }
    }
    return {
      title: 'Start',
      lines: ways.map(([what, , , wanted]) => {
        const told = ms(median(took.get(what) ?? []));
        return wanted === undefined ? [what, told] : [what, told, wanted];
      }),
      figures: { times, tookMs: Object.fromEntries(took) },
    };
  });
}

async function timed(rig: Rig, [program = '', ...args]: readonly string[], until: string): Promise<number> {
  const began = performance.now();
  const child = spawn(program, args, {
    cwd: rig.folder,
    env: { PATH: process.env['PATH'], HOME: rig.folder, TERM: 'xterm' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  if (until === 'end') {
    child.stdout.resume();
    await ended;
    return performance.now() - began;
  }
  await Promise.race([once(child.stdout, 'data'), ended]);
  const took = performance.now() - began;
  child.stdout.resume();
  if (child.exitCode !== null) throw new Error(`${program} ${args.join(' ')} ended with ${child.exitCode}`);
  await rig.touchKill();
  await ended;
  return took;
}
