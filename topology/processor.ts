import type { StateStore } from '../state/store.ts';
import type { Record } from './record.ts';

/**
 * The Processor API: what a user writes when an operator is not enough.
 *
 * A processor gets its batch's records one by one, in order. State is reached in one of two ways:
 * with `load`, which names the state that the batch will touch, so that everything is read at once and `process` stays
 * synchronous (`store.getLoaded`); or without it, awaiting `store.get` in `process` (correct, and slower: one wait a
 * record that is not cached).
 *
 * `process` may be called with a record whose objects other tasks see as well: treat keys and values as immutable.
 */
export interface Processor<KIn, VIn, KOut = unknown, VOut = unknown> {
  init?(context: ProcessorContext<KOut, VOut>): void;
  load?(records: readonly Record<KIn, VIn>[]): Promise<void> | void;
  process(record: Record<KIn, VIn>): Promise<void> | void;
  /**
   * For a processor that gathers work over many records and does it at once: called before a commit when it has
   * processed a record or run a punctuator since the last call, after the unit of work's last record; again only when
   * another processor's `beforeCommit` sent it more. It may read and write its stores, awaiting `load`, and forward.
   * What was gathered and not committed is redone after a crash, as the records it came from are. An error here is not
   * one record's, so no handler is asked: the runtime stops at the last commit.
   */
  beforeCommit?(): Promise<void> | void;
  close?(): void;
}

export interface ProcessorSupplier<KIn = never, VIn = never, KOut = unknown, VOut = unknown> {
  /** A new processor for every task. */
  get(): Processor<KIn, VIn, KOut, VOut>;
}

export interface ProcessorContext<KOut = unknown, VOut = unknown> {
  readonly applicationId: string;
  /** `<sub-topology>_<partition>` */
  readonly taskId: string;
  readonly partition: number;
  forward(record: Record<KOut, VOut>, childName?: string): void;
  /** @throws MillraceError `STORE_NOT_FOUND` when the node is not connected to the store. */
  getStateStore<S extends StateStore>(name: string): S;
  /**
   * Calls back every `intervalMs`. On stream time: after the first record and then whenever stream time reaches the next
   * multiple of the interval (counted from the epoch, as Kafka Streams does), at most once a record, right after it. On
   * wall-clock time: between batches, first one interval from now. The schedule is part of the commit.
   */
  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable;
  /** Highest event time this task has seen, at the record being processed; -1 before the first. */
  currentStreamTimeMs(): number;
  currentSystemTimeMs(): number;
  /** Where the record being processed was read; undefined inside a punctuation. */
  recordMetadata(): RecordMetadata | undefined;
}

/** Awaited when it returns a promise: it may read its stores with `get` and `range`. */
export type Punctuator = (timestampMs: number) => Promise<void> | void;

export type PunctuationType = 'streamTime' | 'wallClock';

export interface Cancellable {
  cancel(): void;
}

export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}
