import type { Database } from './database.ts';
import type { CatalogueCounts, CategoryVersion } from './rows.ts';
import { appendSeqs } from './seqs.ts';

/** The last accepted version of a product. */
export interface LastVersion {
  readonly updatedAt: number;
  /** As `saidBy` spells it. */
  readonly said: string;
  readonly category: string | null;
  readonly active: boolean;
}

export interface Catalogue {
  readonly products: ReadonlyMap<string, LastVersion>;
  /** Ascending by time, neighbours differ. */
  readonly categories: ReadonlyMap<string, readonly CategoryVersion[]>;
  readonly counts: CatalogueCounts;
}

export type VersionVerdict = 'accepted' | 'late' | 'same';

/**
 * What becomes of the versions of one product, in log order.
 *
 *     verdictsOf([{ updatedAt: 5, said: 'a' }, { updatedAt: 9, said: 'a' }, { updatedAt: 4, said: 'b' }])
 *     // ['accepted', 'same', 'late']: what is the same has moved nothing, so 4 is held against 5
 */
export function verdictsOf(versions: readonly Pick<LastVersion, 'updatedAt' | 'said'>[]): VersionVerdict[] {
  let last: Pick<LastVersion, 'updatedAt' | 'said'> | undefined;
  return versions.map((version) => {
    if (last !== undefined && version.updatedAt < last.updatedAt) return 'late';
    if (last?.said === version.said) return 'same';
    last = version;
    return 'accepted';
  });
}

/**
 * Judges the versions, and makes of them
 *
 *     product_categories: product_id, from_ms, category    the first of a product holds from the beginning of time
 */
export async function catalogue(database: Database, invalid: number): Promise<Catalogue> {
  const counts = { accepted: 0, late: 0, same: 0, invalid };
  const dropped: number[] = [];
  let product = '';
  let seqs: number[] = [];
  let versions: { updatedAt: number; said: string }[] = [];
  const settle = (): void => {
    for (const [at, verdict] of verdictsOf(versions).entries()) {
      counts[verdict] += 1;
      if (verdict !== 'accepted') dropped.push(seqs[at]!);
    }
    seqs = [];
    versions = [];
  };
  const sql = 'SELECT product_id, seq::DOUBLE, updated_at::DOUBLE, said FROM versions ORDER BY product_id, seq';
  for await (const [id, seq, updatedAt, said] of database.rows<[string, number, number, string]>(sql)) {
    if (id !== product) settle();
    product = id;
    seqs.push(seq);
    versions.push({ updatedAt, said });
  }
  settle();

  await appendSeqs(database, 'dropped', dropped);
  await database.run(`
    CREATE TABLE accepted AS SELECT * FROM versions ANTI JOIN dropped USING (seq);
    DROP TABLE versions; DROP TABLE dropped;
    CREATE TABLE product_categories AS
    WITH last_of_time AS (
      SELECT product_id, updated_at, category FROM accepted
      QUALIFY row_number() OVER (PARTITION BY product_id, updated_at ORDER BY seq DESC) = 1),
    beside AS (
      SELECT *, lag(category) OVER times AS before, row_number() OVER times AS place FROM last_of_time
      WINDOW times AS (PARTITION BY product_id ORDER BY updated_at))
    SELECT product_id, updated_at AS from_ms, category FROM beside
    WHERE place = 1 OR category IS DISTINCT FROM before`);
  const products = new Map<string, LastVersion>();
  const last = `
    SELECT product_id, updated_at::DOUBLE, said, category, active FROM accepted
    QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY seq DESC) = 1`;
  for await (const row of database.rows<[string, number, string, string | null, boolean]>(last)) {
    const [id, updatedAt, said, category, active] = row;
    products.set(id, { updatedAt, said, category, active });
  }
  const categories = new Map<string, CategoryVersion[]>();
  const all = 'SELECT product_id, from_ms::DOUBLE, category FROM product_categories ORDER BY product_id, from_ms';
  for await (const [id, fromMs, category] of database.rows<[string, number, string | null]>(all)) {
    const of = categories.get(id) ?? [];
    if (of.length === 0) categories.set(id, of);
    of.push({ fromMs, category });
  }
  await database.run('DROP TABLE accepted');
  return { products, categories, counts };
}
