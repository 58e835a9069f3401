import type { StreamRecord } from './stream-record.ts';

/** Hands a record to the node's children, to one of them when it is named. */
export type Emit = (record: StreamRecord, childName?: string) => void;

/**
 * A processor node that can run. The unit it belongs to calls `load` once a batch with all its inputs, then `process`
 * for each of them in order; `process` is synchronous but for users' processors without `load`.
 */
export interface ExecutableNode {
  readonly name: string;
  load?(records: readonly StreamRecord[]): Promise<void> | void;
  process(record: StreamRecord, emit: Emit): Promise<void> | void;
  /** Before a commit: forwards what a record cache held back, as if `place` were the record at hand; it has no origin. */
  flush?(place: StreamRecord, emit: Emit): Promise<void> | void;
  /** True while a flush has something to do. */
  hasPending?(): boolean;
  /** The operator's clock: part of the commit. -1 before the first record. */
  observedTimeMs?: number;
  close?(): void;
}
