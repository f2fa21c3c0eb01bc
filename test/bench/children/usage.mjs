// Writes, as the process ends, what it has cost, into the file that BENCH_USAGE names.
import diagnostics from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { maxRssKb } from './max-rss.mjs';

const FIRST_REQUEST = 'undici:client:sendHeaders';

function cpuMs() {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return (userCPUTime + systemCPUTime) / 1000;
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
