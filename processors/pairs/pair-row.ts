import { relations, type Relation, type RelationCode } from './relation.ts';

/** The number of an item's row for a relation: `4 · item + relation code`. */
export function pairRow(item: number, relationCode: RelationCode): number {
  return item * rowsPerItem + relationCode;
}

export function itemOfPairRow(row: number): number {
  return Math.floor(row / rowsPerItem);
}

export function relationOfPairRow(row: number): Relation {
  return relations[row % rowsPerItem]!;
}

/** One a relation. */
export const rowsPerItem = relations.length;
