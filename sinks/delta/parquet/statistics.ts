import { formatExactJson, type Json, JsonDecimal } from '../log/exact-json.ts';
import { type DataType, decimalOf, type StructType } from '../schema/schema.ts';

/**
 * Statistics of a file (protocol, Per-file Statistics), made from what DuckDB says of the Parquet file that it has written
 * (`RETURN_STATS`), so no row is looked at twice. Everything here is a bound: a minimum may be too small and a maximum too
 * large, and where neither can be said for certain nothing is.
 *
 *     {"numRecords":3,"minValues":{"id":1,"at":{"day":"2026-01-01"}},"maxValues":{…},"nullCount":{"id":0,"at":{"day":1}}}
 */
export interface ColumnStatistics {
  readonly min?: string;
  readonly max?: string;
  readonly nullCount?: number;
  readonly hasNan?: boolean;
}

/** What DuckDB calls a leaf: its path in quotes, as `"at"."day"`. */
export function leafKey(path: readonly string[]): string {
  return path.map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}

export function formatStatistics(
  schema: StructType,
  numRecords: number,
  columns: ReadonlyMap<string, ColumnStatistics>,
  indexedColumns: number,
): string {
  const minValues: Tree = {};
  const maxValues: Tree = {};
  const nullCount: Tree = {};
  const leaves = leavesOf(schema);
  for (const { path, type } of indexedColumns < 0 ? leaves : leaves.slice(0, indexedColumns)) {
    const found = columns.get(leafKey(path));
    if (found === undefined || typeof type === 'object') continue;
    if (found.nullCount !== undefined) put(nullCount, path, found.nullCount);
    const min = found.hasNan ? undefined : boundOf(type, found.min, 'min');
    const max = found.hasNan ? undefined : boundOf(type, found.max, 'max');
    if (min !== undefined) put(minValues, path, min);
    if (max !== undefined) put(maxValues, path, max);
  }
  return formatExactJson({ numRecords, minValues, maxValues, nullCount } as Json);
}

/** Columns that are not structs, through structs, in the order of the schema. */
export function leavesOf(schema: StructType, above: readonly string[] = []): { path: string[]; type: DataType }[] {
  return schema.fields.flatMap(({ name, type }) => {
    const path = [...above, name];
    return typeof type === 'object' && type.type === 'struct' ? leavesOf(type, path) : [{ path, type }];
  });
}

interface Tree {
  [name: string]: Json | Tree;
}

function put(tree: Tree, path: readonly string[], value: Json): void {
  let at = tree;
  for (const name of path.slice(0, -1)) at = (at[name] ??= {}) as Tree;
  at[path.at(-1)!] = value;
}

function boundOf(type: DataType, text: string | undefined, side: 'min' | 'max'): Json | undefined {
  if (text === undefined) return undefined;
  if (decimalOf(type) !== undefined) return new JsonDecimal(text);
  switch (type) {
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return BigInt(text);
    case 'float':
    case 'double':
      return Number.isFinite(Number(text)) && /\d/.test(text) ? Number(text) : undefined;
    case 'string':
      return side === 'min' ? [...text].slice(0, stringPrefix).join('') : upperBound(text);
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined;
    case 'timestamp':
      return timestampBound(text.replace(/\+00$/, ''), side, 'Z');
    case 'timestamp_ntz':
      return timestampBound(text, side, '');
    default:
      return undefined;
  }
}

const stringPrefix = 32;

/** A string no smaller than any that begins as this one does: cut, with a character behind it that sorts after the rest. */
function upperBound(text: string): string | undefined {
  const characters = [...text];
  if (characters.length <= stringPrefix) return text;
  const next = characters[stringPrefix]!.codePointAt(0)!;
  const prefix = characters.slice(0, stringPrefix).join('');
  if (next < 0x7f) return `${prefix}\u007f`;
  return next < 0x10_ffff ? `${prefix}\u{10ffff}` : undefined;
}

/** To the millisecond, which is as fine as other engines read: down for a minimum, up for a maximum. */
function timestampBound(text: string, side: 'min' | 'max', zone: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  const micros = Number((match[3] ?? '').padEnd(6, '0'));
  const wholeMs = Date.parse(`${match[1]}T${match[2]}Z`);
  const ms = wholeMs + (side === 'min' ? Math.floor(micros / 1000) : Math.ceil(micros / 1000));
  const bound = new Date(ms).toISOString();
  return bound.length === 24 ? bound.replace('Z', zone) : undefined;
}
