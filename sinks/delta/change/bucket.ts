import type { AddFile } from '../log/action.ts';
import { identifier } from '../parquet/sql.ts';

/**
 * Which bucket a key falls into, so that an upsert that writes files anew touches the files of its keys' buckets and no others.
 * A file says its bucket in a tag, `3/16` of the columns that the key has; files without one may hold any key. The hash is of
 * MD5, which stays the same in every version of every engine.
 */
export const bucketTag = 'millrace.bucket';

export function bucketSql(keyColumns: readonly string[], buckets: number): string {
  const parts = keyColumns
    .map((column) => `coalesce(CAST(${identifier(column)} AS VARCHAR), chr(1))`)
    .join(` || chr(0) || `);
  return `(CAST('0x' || left(md5(${parts}), 8) AS UBIGINT) % ${buckets})`;
}

export function tagOf(bucket: number, buckets: number, keyColumns: readonly string[]): string {
  return `${bucket}/${buckets} ${keyColumns.join(',')}`;
}

/** Whether a file may hold keys of one of these buckets. */
export function mayHold(
  file: AddFile,
  touched: ReadonlySet<number>,
  buckets: number,
  keyColumns: readonly string[],
): boolean {
  const tag = file.tags?.[bucketTag];
  if (tag === undefined) return true;
  const bucket = Number(tag.split('/')[0]);
  return tag !== tagOf(bucket, buckets, keyColumns) || touched.has(bucket);
}
