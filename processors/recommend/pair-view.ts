import type { EventRelation, Relation } from '../pairs/relation.ts';

/**
 * What scoring reads: pair counts in memory, items as dense indexes 0..items-1.
 *
 * Serving, evaluation and the gold cut each have one and share the functions of score.ts. `MemoryPairView` builds it from
 * the changes of the pair stores.
 */
export interface PairView {
  /** Item indexes are below this. */
  readonly items: number;
  /** Changes whenever anything else here does; a view without one may change at any time. */
  readonly version?: number;
  row(relation: Relation, item: number): PairRow | undefined;
  /** Sessions in which the item occurred. */
  n(relation: EventRelation, item: number): number;
  /** Sessions with any event of the relation. */
  N(relation: EventRelation): number;
  /** How often the item k places back (k = 1..10, index 0 unused) came again: `rep[k]` of `repN[k]` times. */
  reminders(relation: EventRelation): Reminders;
  /** The item's id, which settles ties. */
  id(item: number): string;
}

/** Neighbours of an item: the first `length` places of three arrays, in any order. Weights are in 1/1024. */
export interface PairRow {
  readonly length: number;
  readonly neighbours: Uint32Array;
  readonly weights: Uint32Array;
  readonly counts: Uint32Array;
}

export interface Reminders {
  readonly rep: readonly number[];
  readonly repN: readonly number[];
}
