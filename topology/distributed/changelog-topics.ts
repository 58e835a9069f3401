import type { TopicSpec } from '../../log/index.ts';
import type { TopologyGraph } from '../graph/graph.ts';
import { changelogTopic } from './changelog.ts';
import { taskStateTopic } from './task-state.ts';

/**
 * The topics that state is kept in.
 *
 * | of              | cleanup            |                                                                                       |
 * |-----------------|--------------------|---------------------------------------------------------------------------------------|
 * | clocks, stores  | `compact`          | the last record of each key                                                           |
 * | window stores   | `compact,delete`   | and no longer than the store's retention and `additionalMs`: expiry sends no tombstones |
 *
 * Kafka Streams does the same (`windowstore.changelog.additional.retention.ms`). Retention goes by the wall clock, since a record here has
 * the time of its commit, and windows expire by stream time: where no events come for longer than both together, a window that has not
 * expired is missing after a full restore.
 */
export function changelogTopics(graph: TopologyGraph, options: ChangelogTopicsOptions): readonly TopicSpec[] {
  const { applicationId, tasks, deleteRetentionMs, additionalMs } = options;
  const compacted = { cleanup: 'compact', deleteRetentionMs } as const;
  const ofStores = graph.subtopologies.flatMap(({ id, stores }) =>
    stores.map((store): TopicSpec => {
      const topic = { name: changelogTopic(applicationId, store), partitions: tasks.get(id)! };
      const spec = graph.stores.get(store)!;
      if (spec.kind !== 'window') return { ...topic, ...compacted };
      return { ...topic, ...compacted, cleanup: 'compact,delete', retentionMs: spec.retentionMs + additionalMs };
    }),
  );
  const clocks = { name: taskStateTopic(applicationId), partitions: Math.max(1, ...tasks.values()) };
  return [...ofStores, { ...clocks, ...compacted }];
}

export interface ChangelogTopicsOptions {
  readonly applicationId: string;
  /** How many a sub-topology has, by its id. */
  readonly tasks: ReadonlyMap<number, number>;
  readonly deleteRetentionMs: number;
  readonly additionalMs: number;
}
