import type { DuckDBValue } from '@duckdb/node-api';
import type { AddFile } from '../log/action.ts';
import type { DuckDbSession } from '../parquet/duck-db.ts';

/** Rows of a table's files that a change is about: positions in each file, ascending, without those that are gone already. */
export type MatchedRows = ReadonlyMap<AddFile, readonly number[]>;

/** Runs a SELECT of `_file`, `_row` over files that were scanned in this order with positions. */
export async function matchRows(
  session: DuckDbSession,
  files: readonly AddFile[],
  select: string,
): Promise<MatchedRows> {
  const matched = new Map<AddFile, number[]>();
  for await (const [places = [], rows = []] of session.chunks(`${select} ORDER BY "_file", "_row"`)) {
    places.forEach((place: DuckDBValue, at) => {
      const file = files[place as number]!;
      const positions = matched.get(file) ?? [];
      positions.push(Number(rows[at]));
      matched.set(file, positions);
    });
  }
  return matched;
}
