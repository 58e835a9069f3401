import { compareBytes } from './byte-order.ts';
import type { Entry } from './engine.ts';

/**
 * A range of the table with the changes on top that it doesn't have yet, in key order.
 *
 *     table    a   b   c       e         two sorted sequences, merged; at equal keys the change stands,
 *     changes      b'  ✗   d             and one without a value takes the row away
 *     result   a   b'      d   e
 */
export interface RangeChange<E> {
  readonly key: Uint8Array;
  /** Undefined when the key was deleted. */
  readonly entry: E | undefined;
}

export type RangeRow<E> =
  | { readonly kind: 'stored'; readonly row: Entry }
  | { readonly kind: 'changed'; readonly entry: E };

/** @param changes sorted in the direction of the range */
export async function* mergeRange<E>(
  table: AsyncIterable<readonly Entry[]>,
  changes: readonly RangeChange<E>[],
  reverse: boolean,
): AsyncGenerator<readonly RangeRow<E>[]> {
  const sign = reverse ? -1 : 1;
  let at = 0;
  for await (const chunk of table) {
    const rows: RangeRow<E>[] = [];
    for (const row of chunk) {
      let change = changes[at];
      let order = 1;
      while (change && (order = sign * compareBytes(change.key, row.key)) <= 0) {
        if (change.entry !== undefined) rows.push({ kind: 'changed', entry: change.entry });
        change = changes[++at];
        if (order === 0) break;
      }
      if (order !== 0) rows.push({ kind: 'stored', row });
    }
    yield rows;
  }
  const rest: RangeRow<E>[] = [];
  for (const { entry } of changes.slice(at)) if (entry !== undefined) rest.push({ kind: 'changed', entry });
  yield rest;
}
