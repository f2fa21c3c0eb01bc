import { countFindings, openFindings } from '../../dataset/findings.ts';
import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { figures, short, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { day } from '../words.ts';

/** Open findings shown one by one. */
const TOLD = 20;
const LONGEST = 200;

/** The last complete run, or one after it that has found something already. */
function readLast(sql: Sql): Promise<{ id: number; started_at: number } | undefined> {
  return sql.get(
    `SELECT id, started_at FROM runs WHERE id = max(
       coalesce((SELECT max(id) FROM runs WHERE finished_at IS NOT NULL AND only_stage IS NULL), 0),
       coalesce((SELECT max(run_id) FROM findings), 0))`,
  );
}

export async function findings({ sql }: Source): Promise<Content> {
  const run = await readLast(sql);
  if (!run) return { empty: 'Nothing has been verified yet. The verify stage of a run fills this.' };
  const kinds = await countFindings(sql, run.id);
  if (kinds.length === 0) {
    return {
      empty: `None: run ${run.id} of ${day(run.started_at)} found everything in step. What a later run finds stands here.`,
    };
  }
  const open = await openFindings(sql, run.id, TOLD);
  const all = kinds.reduce((total, kind) => total + kind.open, 0);
  const repaired = kinds.reduce((total, kind) => total + kind.repaired, 0);
  return {
    says: html`<p>
      In run ${run.id} of ${day(run.started_at)}: <b>${plural(all, 'finding')}</b> open,
      <b>${count(repaired)}</b> repaired in the same run.
      ${all > TOLD ? html`The first ${TOLD} open ones are listed.` : undefined}
    </p>`,
    shows: html`${table(
      'Findings by kind',
      [short('Kind'), figures('Open'), figures('Repaired')],
      kinds.map((one) => [one.kind, count(one.open), count(one.repaired)]),
    )}
    ${
      open.length === 0
        ? undefined
        : table(
            'Open findings',
            [short('Kind'), words('About'), words('What was found')],
            open.map((one) => [one.kind, one.subject, one.detail]),
            LONGEST,
          )
    }`,
  };
}
