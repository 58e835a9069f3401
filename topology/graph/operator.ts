import type { Record } from '../record.ts';
import type { ProcessorSupplier } from '../processor.ts';

/**
 * What a processor node does, as data. Types of keys and values end at the builder: inside the graph they are unknown.
 * `stores` of the node names the stores; an operator that has exactly one names it here as well.
 */
export type Operator =
  | { readonly op: 'filter'; readonly predicate: (key: unknown, value: unknown) => boolean; readonly not: boolean }
  | { readonly op: 'map'; readonly mapper: (key: unknown, value: unknown) => readonly [unknown, unknown] }
  | { readonly op: 'mapValues'; readonly mapper: (value: unknown, key: unknown) => unknown }
  | { readonly op: 'flatMap'; readonly mapper: (key: unknown, value: unknown) => Iterable<readonly [unknown, unknown]> }
  | { readonly op: 'flatMapValues'; readonly mapper: (value: unknown, key: unknown) => Iterable<unknown> }
  | { readonly op: 'selectKey'; readonly mapper: (key: unknown, value: unknown) => unknown }
  | { readonly op: 'peek'; readonly action: (key: unknown, value: unknown) => void }
  /** Like peek, but nothing goes on. */
  | { readonly op: 'foreach'; readonly action: (key: unknown, value: unknown) => void }
  /** Forwards what comes: merge, and a source's pass-through node. */
  | { readonly op: 'passThrough' }
  /** Before a repartition sink of a grouping: records with a null key are dropped and counted. */
  | { readonly op: 'dropNullKeys' }
  /**
   * Source of a table: puts into the store and forwards a Change. Null keys are dropped and counted. A table that
   * nobody reads has no store: it forwards the new value, and null for the old.
   */
  | { readonly op: 'tableSource'; readonly store: string | undefined }
  /** Change → record with the new value; `mapper` gives a new key. */
  | { readonly op: 'toStream'; readonly mapper: ((key: unknown, value: unknown) => unknown) | undefined }
  /** Forwards a Change. Null keys and null values are dropped and counted. */
  | { readonly op: 'aggregate'; readonly store: string; readonly aggregation: Aggregation }
  /** Forwards a Change with a Windowed key. Null keys are dropped; null values count. */
  | {
      readonly op: 'windowedAggregate';
      readonly store: string;
      readonly window: TimeWindow;
      readonly aggregation: Aggregation;
    }
  | {
      readonly op: 'streamTableJoin';
      readonly store: string;
      readonly left: boolean;
      readonly joiner: (key: unknown, left: unknown, right: unknown) => unknown;
    }
  | { readonly op: 'process'; readonly supplier: ProcessorSupplier };

/** An aggregate that is null is a deletion. */
export type Aggregation =
  | { readonly kind: 'count' }
  | { readonly kind: 'reduce'; readonly reducer: (aggregate: unknown, value: unknown) => unknown }
  | {
      readonly kind: 'aggregate';
      readonly initializer: () => unknown;
      readonly aggregator: (key: unknown, value: unknown, aggregate: unknown) => unknown;
    };

/**
 * Windows `[n·advanceMs, n·advanceMs + sizeMs)`; tumbling when advance equals size. A record is late for a window when
 * `windowEnd + graceMs <= stream time` of the operator: it is dropped and counted.
 */
export interface TimeWindow {
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
}

export type AnyRecord = Record<unknown, unknown>;
