import type { ConsumedOffset, Log, TopicPartition } from '../../log/index.ts';
import type { Engine, GroupCommit } from '../../state/index.ts';
import type { Subtopology } from '../graph/graph.ts';
import type { ApplicationState } from '../runtime/application-state.ts';
import type { TaskEnvironment } from '../runtime/open-task.ts';
import type { SourceTopic } from '../runtime/prepare-topics.ts';
import type { RestoreOptions } from './changelog-reader.ts';
import type { SourceGate } from './source-gate.ts';
import type { ProcessingGuarantee } from './task-committer.ts';

/** What the tasks of an instance share. */
export interface DistributedEnvironment extends TaskEnvironment {
  readonly log: Log;
  readonly engine: Engine;
  readonly commits: GroupCommit;
  /** The consumer group, whose offsets are the application's. */
  readonly group: string;
  readonly state: ApplicationState;
  readonly storeIds: ReadonlyMap<string, number>;
  /** Partitions of every topic. */
  readonly counts: ReadonlyMap<string, number>;
  readonly maxRecordBytes: number;
  readonly maxBatchRecords: number;
  readonly slowBatchMs: number;
  readonly gate: SourceGate | undefined;
  readonly restoring: RestoreOptions;
  readonly processingGuarantee: ProcessingGuarantee;
  /** As this instance's membership, outside of transactions. */
  readonly commitOffsets: (offsets: readonly ConsumedOffset[]) => Promise<void>;
}

export interface AssignedTask {
  readonly subtopology: Subtopology;
  readonly partition: number;
  readonly sources: readonly SourceTopic[];
  /** What it reads: topics may have fewer partitions than the sub-topology has tasks. */
  readonly partitions: readonly TopicPartition[];
}
