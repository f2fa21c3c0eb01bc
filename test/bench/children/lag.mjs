// Writes, as the process ends, when its main thread was late and by how much, into the file that BENCH_LAG names.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const EVERY_MS = 5;
/** What is shorter is not told. */
const LEAST_MS = 10;

if (isMainThread && process.env.BENCH_LAG) {
  const late = [];
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    const ms = now - last - EVERY_MS;
    if (ms >= LEAST_MS) late.push({ at: performance.timeOrigin + now, ms });
    last = now;
  }, EVERY_MS).unref();
  process.on('exit', () => writeFileSync(process.env.BENCH_LAG, JSON.stringify(late)));
}
