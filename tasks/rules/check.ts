import type { ServicesWith } from '../../lib/services.ts';
import type { Step } from '../../lib/task/task.ts';
import type { Tx } from '../../lib/store/database.ts';
import { recheckImages } from '../../lib/dataset/images.ts';
import type { Finding } from '../../lib/dataset/findings.ts';
import { want } from '../../lib/dataset/wanted.ts';

/** What each part of verify is handed. */
export interface CheckContext {
  readonly services: ServicesWith<'api' | 'cdn'>;
  readonly runId: number;
  readonly stop: AbortSignal;
  /** Kinds of findings not to look for. */
  readonly tolerated: ReadonlySet<string>;
}

/** `after`: everything up to this listing id has been looked at. */
export type CheckSteps = AsyncGenerator<Step<Tx, { after: number }>, void, undefined>;

/** Which image it is has to be asked for first; where its URL is on record it need not be. */
export async function wantUnknown(tx: Tx, listingIds: readonly number[]): Promise<void> {
  const unknown = await recheckImages(tx, listingIds);
  await want(
    tx,
    unknown.map((listingId) => ({ listingId, shopId: null })),
  );
}

export function missingImage(listingId: number, detail: string): Finding {
  return { kind: 'missing-image', subject: String(listingId), detail };
}
