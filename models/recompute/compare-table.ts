import { type Difference, shown, Tally, type TableComparison } from './comparison.ts';
import type { Integer, Rows } from './rows.ts';
import { sameInteger } from './same.ts';

export type Sides = Omit<Difference, 'key'>;

export interface TableRules<Expected, Row> {
  keyOf(row: Row): string;
  /** Both sides, as they are shown, where the rows of one key are not the same. */
  differ(expected: Expected, actual: Row): Sides | null;
  /** A row that says nothing may be there or not. */
  isVoid?(row: Row): boolean;
}

/** Every row of one table, both ways. */
export async function compareTable<Expected, Row>(
  name: string,
  expected: ReadonlyMap<string, Expected>,
  actual: Rows<Row>,
  rules: TableRules<Expected, Row>,
): Promise<TableComparison> {
  const tally = new Tally(name, expected.size);
  const seen = new Set<string>();
  for await (const row of actual) {
    const key = rules.keyOf(row);
    const wanted = expected.get(key);
    if (seen.has(key)) tally.extra(key, row, 'one row with this key');
    else if (wanted !== undefined) tally.both(key, rules.differ(wanted, row));
    else if (rules.isVoid?.(row) !== true) tally.extra(key, row);
    seen.add(key);
  }
  for (const [key, row] of expected) if (!seen.has(key)) tally.missing(key, row);
  return tally.result();
}

/** Every plain field of the expected row: numbers as integers, strings, booleans and null as they are. */
export function differentFields<Row extends object>(expected: Row, actual: Row): Sides | null {
  const wanted: Record<string, unknown> = {};
  const found: Record<string, unknown> = {};
  for (const field of Object.keys(expected) as (keyof Row & string)[]) {
    const [left, right]: [unknown, unknown] = [expected[field], actual[field]];
    if (typeof left === 'object' && left !== null) continue;
    const number = typeof left === 'number' || typeof left === 'bigint';
    if (number ? sameInteger(left, right) : left === right) continue;
    wanted[field] = left;
    found[field] = right ?? null;
  }
  return Object.keys(wanted).length === 0 ? null : { expected: shown(wanted), actual: shown(found) };
}

export function sameIntegers(expected: readonly Integer[], actual: readonly Integer[]): boolean {
  return expected.length === actual.length && expected.every((value, at) => sameInteger(value, actual[at]));
}

/** Null where they are the same. */
export function sides(same: boolean, expected: unknown, actual: unknown): Sides | null {
  return same ? null : { expected: shown(expected), actual: shown(actual) };
}
