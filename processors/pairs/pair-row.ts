import type { Relation } from './relation.ts';

/** The number of an item's row for a relation: `2 · item + relation code`. */
export function pairRow(item: number, relationCode: 0 | 1): number {
  return item * 2 + relationCode;
}

export function itemOfPairRow(row: number): number {
  return Math.floor(row / 2);
}

export function relationOfPairRow(row: number): Relation {
  return row % 2 === 0 ? 'viewed' : 'bought';
}
