import { Taxonomy } from './taxonomy.ts';
import type { Category } from './taxonomy.ts';
import type { Sql, Tx } from '../store/database.ts';
import { insertFrom, rowsJson } from '../store/rows.ts';

const COLUMNS = ['taxonomy_id', 'parent_id', 'name', 'fetched_at'] as const;

interface TaxonomyRow {
  readonly taxonomy_id: number;
  readonly parent_id: number | null;
  readonly name: string;
  readonly fetched_at: number;
}

/** Etsy's categories as they were last fetched. */
export async function readTaxonomy(sql: Sql): Promise<Taxonomy> {
  const rows = await sql.all<TaxonomyRow>(`SELECT ${COLUMNS.join(', ')} FROM taxonomy`);
  const categories = rows.map((row) => ({ id: row.taxonomy_id, parentId: row.parent_id, name: row.name }));
  return new Taxonomy(categories, rows[0]?.fetched_at);
}

/** @param now epoch seconds, when they were fetched */
export async function replaceTaxonomy(tx: Tx, categories: readonly Category[], now: number): Promise<void> {
  const rows = categories.map(({ id, parentId, name }): TaxonomyRow => {
    return { taxonomy_id: id, parent_id: parentId, name, fetched_at: now };
  });
  await tx.run('DELETE FROM taxonomy');
  await tx.run(`${insertFrom('taxonomy', COLUMNS)} WHERE true ON CONFLICT (taxonomy_id) DO NOTHING`, {
    ':rows': rowsJson(COLUMNS, rows),
  });
}
