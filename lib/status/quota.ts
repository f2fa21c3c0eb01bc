import { callsBackAt } from '../etsy/quota.ts';
import type { Ledger } from '../store/ledger.ts';
import type { QuotaStatus } from './shape.ts';
import { DAY_MS } from '../time.ts';

/** The budget of requests as the ledger has it. */
export async function quotaStatus(ledger: Ledger, perSecond: number, now: number): Promise<QuotaStatus> {
  const { used, oldestMs } = await ledger.day(now);
  const last = await ledger.remaining(now);
  const then = last && (await ledger.day(last.atMs));
  const spent = last?.calls === 0 && then !== undefined;
  const back = spent ? callsBackAt(last.atMs, then.oldestMs, undefined) : oldestMs && oldestMs + DAY_MS;
  return {
    perSecond,
    used,
    left: last?.calls ?? null,
    leftAt: last === undefined ? null : new Date(last.atMs).toISOString(),
    perDay: last && then ? last.calls + then.used - (await ledger.countSince(last.atMs, now)) : null,
    callsBackAt: back === undefined || back < now ? null : new Date(back).toISOString(),
  };
}
