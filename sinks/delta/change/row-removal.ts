import { MillraceError } from '../../../schemas/errors.ts';
import type { TableContext } from '../context.ts';
import { readDeletionVector, writeDeletionVectors } from '../deletion-vector/deletion-vector.ts';
import type { Action, AddFile } from '../log/action.ts';
import { formatExactJson, type Json, parseExactJson } from '../log/exact-json.ts';
import { removeOf } from '../maintenance/optimize.ts';
import type { MatchedRows } from './matched-rows.ts';

/**
 * Takes rows out of files without writing the files anew: each gets a deletion vector over the rows that it has lost by now.
 * The cost goes with the rows that go, not with the files they lie in. A file that loses its last row is removed.
 */
export async function removeByVector({ storage }: TableContext, matched: MatchedRows): Promise<Action[]> {
  const actions: Action[] = [];
  const partly: { readonly file: AddFile; readonly rows: readonly number[] }[] = [];
  for (const [file, positions] of matched) {
    const before = file.deletionVector === undefined ? [] : await readDeletionVector(storage, file.deletionVector);
    const rows = merged(before, positions);
    actions.push({ remove: removeOf(file, true) });
    if (rows.length < recordsOf(file, storage.location)) partly.push({ file, rows });
  }
  if (partly.length === 0) return actions;
  const vectors = await writeDeletionVectors(
    storage,
    partly.map(({ rows }) => rows),
  );
  partly.forEach(({ file }, at) => {
    actions.push({ add: { ...file, dataChange: true, deletionVector: vectors[at]!, stats: wideBounds(file) } });
  });
  return actions;
}

/** Two ascending lists without a common element as one. */
function merged(left: readonly number[], right: readonly number[]): number[] {
  const all: number[] = [];
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    if (r === right.length || (l < left.length && left[l]! < right[r]!)) all.push(left[l++]!);
    else all.push(right[r++]!);
  }
  return all;
}

/** All records of the file, the deleted ones too. @throws MillraceError `TABLE_UNSUPPORTED` where nobody says how many */
function recordsOf({ path, stats }: AddFile, table: string): number {
  const json = statistics(stats);
  const records = json['numRecords'];
  if (typeof records === 'number') return records;
  throw new MillraceError(
    'TABLE_UNSUPPORTED',
    `The file ${path} of the table ${table} has no numRecords in its statistics, which a deletion vector needs: rewrite it (optimize)`,
    { table, path },
  );
}

/** The least and greatest values may be among those that are gone. */
function wideBounds({ stats }: AddFile): string {
  return formatExactJson({ ...statistics(stats), tightBounds: false });
}

function statistics(stats: string | undefined): Readonly<Record<string, Json>> {
  const json = stats === undefined ? null : parseExactJson(stats);
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as Readonly<Record<string, Json>>)
    : {};
}
