import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** By major version of Node: V8 complains of a flag that it does not know. Node 24 and later need neither. */
const LATE = { 20: '--interrupt-budget=1000000', 22: '--invocation-count-for-turbofan=50000' };
const SOONER = { 20: '--interrupt-budget=250000', 22: '--invocation-count-for-turbofan=12000' };

/**
 * Before anything is loaded: V8 optimizes what runs often only once it has run more often. Most of what it would
 * optimize in a start never runs again, at a third of the start's processor time.
 */
export function optimizeLate() {
  setWhereKnown(LATE);
}

function setWhereKnown(flags) {
  const flag = flags[parseInt(process.versions.node)];
  if (flag) setFlagsFromString(flag);
}

// A run of days has little that lives long. Left to itself the heap grows to four times that; with --optimize-for-size
// it is swept so often that half of a processor's time for a page is spent on it.

/** From the start on: the heap of what lives long is swept once it has grown by two fifths. */
export function keepHeapSmall() {
  setFlagsFromString('--heap-growing-percent=40');
}

/**
 * Once all is loaded: what runs often from here on runs for days. The heap for what has just been made stays as large as
 * it is, about 4 MB; it would become 16 MB.
 */
export function settleDown() {
  setWhereKnown(SOONER);
  setFlagsFromString('--semi-space-growth-factor=1');
  swept ||= used();
}

/** Less garbage is not worth a sweep. Bytes. */
const WORTH = 8 * 1024 * 1024;
let collect;
/** In use after the last sweep, or once all was loaded. Bytes. */
let swept = 0;

/** Once a stage has ended: what it leaves would otherwise lie there until the next one has made as much. Takes about 30 ms. */
export function sweep() {
  if (used() < swept + WORTH) return;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    // Without it nothing is lost but memory.
    collect = runInNewContext("typeof gc === 'function' ? gc : () => undefined");
    setFlagsFromString('--no-expose-gc');
  }
  collect();
  swept = used();
}

function used() {
  return getHeapStatistics().used_heap_size;
}
