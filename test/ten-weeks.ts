import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { session } from '../lib/run/index.ts';
import { change } from './report-rig.ts';
import { Rig, START } from './rig.ts';
import type { RigOptions } from './rig.ts';

/** Between two runs: a little more than `refreshAfter`, so that each reads everything again. Days. */
const BETWEEN = 7.2;
export const WEEKS = 10;
const DAY_MS = 86_400_000;
const RealDate = Date;

class Sink extends Writable {
  readonly columns = 80;
  text = '';

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/** Sets this process's clock ahead by so many milliseconds, for all who ask for the time. */
export function shiftClock(by: number): void {
  const now = (): number => RealDate.now() + by;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], newTarget) as object,
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
  });
}

export interface TenWeeks {
  readonly rig: Rig;
  /** Removed for good; removed and back; of a shop that changed its currency; first read without a price. */
  readonly removed: number;
  readonly returned: number;
  readonly converted: number;
  readonly unpriced: number;
}

/**
 * A marketplace read once a week for ten weeks, run by run, in this process: ten starts of the command would take ten
 * times as long. The clock of this process stands at the end of them until `restoreClock`.
 */
export async function tenWeeks(options: RigOptions = {}): Promise<TenWeeks> {
  const rig = await Rig.open({
    taxonomies: [12371, 976],
    withoutImages: true,
    ...options,
    market: {
      seed: 20,
      categories: { 12371: { listings: 45 }, 976: { listings: 40 } },
      shops: 14,
      reviews: { perShop: 14 },
      ...options.market,
    },
  });
  const begun = RealDate.now();
  const made = (await rig.truth()).listings.filter(({ since2000, state }) => since2000 && state === 'active');
  const [removed = 0, returned = 0, unpriced = 0] = made.map(({ listing_id }) => listing_id);
  const other = made.find(
    ({ shop_id, price }) => shop_id !== made[0]?.shop_id && price.currency_code === 'USD',
  );
  assert.ok(other && unpriced);
  for (let week = 0; week < WEEKS; week++) {
    shiftClock(START - begun + week * BETWEEN * DAY_MS);
    if (week === 3) await rig.market.removeListing(removed);
    if (week === 3) await rig.market.removeListing(returned);
    if (week === 6) await rig.market.setState(returned, 'active');
    if (week === 5) await rig.market.setCurrency(other.shop_id, 'EUR');
    await runHere(rig);
    // As the system before this one has left them for a while: readings without a price.
    if (week === 1)
      await change(rig, (tx) =>
        tx.run(
          `UPDATE listings_dynamic SET price_amount = NULL, price_divisor = NULL, price_currency = NULL WHERE listing_id = ?`,
          [unpriced],
        ),
      );
    if (week < WEEKS - 1) await rig.advance(BETWEEN);
  }
  return { rig, removed, returned, converted: other.listing_id, unpriced };
}

export function restoreClock(): void {
  globalThis.Date = RealDate;
}

async function runHere(rig: Rig): Promise<void> {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const code = await session({
    cwd: rig.folder,
    env: {},
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr,
    onlyStage: undefined,
    qps: Infinity,
    firstBackoffMs: 5,
  });
  assert.equal(code, 0, `${stdout.text}\n${stderr.text}`);
}
