import type { Sql, Tx } from '../store/database.ts';

/** What came of an endpoint's answers: records that could be used and that could not, requests that were refused. */
export interface Received {
  /** Ids left out: "shops/{id}/reviews". */
  readonly endpoint: string;
  readonly usable?: number;
  readonly unusable?: number;
  readonly refused?: number;
  /** Why the last of the unusable or refused was. */
  readonly reason?: string | undefined;
}

export async function noteReceived(tx: Tx, runId: number, received: Received): Promise<void> {
  const { endpoint, usable = 0, unusable = 0, refused = 0, reason = null } = received;
  if (usable + unusable + refused === 0) return;
  await tx.run(
    `INSERT INTO answers (run_id, endpoint, usable, unusable, refused, reason) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (run_id, endpoint) DO UPDATE SET usable = usable + excluded.usable,
       unusable = unusable + excluded.unusable, refused = refused + excluded.refused,
       reason = coalesce(excluded.reason, reason)`,
    [runId, endpoint, usable, unusable, refused, reason],
  );
}

export interface Unusable {
  readonly endpoint: string;
  readonly usable: number;
  readonly unusable: number;
  readonly refused: number;
  readonly reason: string | null;
}

/**
 * The search shows everything, so any share of it counts. Elsewhere a few poison records may be all that a run asks
 * for: they are set aside and do not fail it.
 */
const FEW = 3;

/** Endpoints of which more than half of what they sent in the run, or of what they were asked, was of no use. */
export function mostlyUnusable(sql: Sql, runId: number): Promise<Unusable[]> {
  return sql.all<Unusable>(
    `SELECT endpoint, usable, unusable, refused, reason FROM answers
     WHERE run_id = ? AND (unusable > usable OR refused > usable)
       AND (endpoint = 'listings/active' OR max(unusable, refused) >= ${FEW}) ORDER BY endpoint`,
    [runId],
  );
}

/** "listings/active: 60 of 60 records were set aside (price: is missing)" */
export function unusableLine({ endpoint, usable, unusable, refused, reason }: Unusable): string {
  const what =
    unusable > usable
      ? `${unusable} of ${usable + unusable} records were set aside`
      : `${refused} ${refused === 1 ? 'request was' : 'requests were'} refused`;
  return `${endpoint}: ${what}${reason === null ? '' : ` (${reason})`}`;
}
