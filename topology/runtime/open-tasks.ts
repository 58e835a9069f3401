import type { StateStore } from '../../state/index.ts';
import { ApplicationState } from './application-state.ts';
import { numberedStores } from './application-stores.ts';
import type { RuntimeConfig, RuntimeOptions } from './embedded-runtime.ts';
import type { Metrics } from './metrics.ts';
import { openTask, taskId, type TaskInput } from './open-task.ts';
import { prepareTopics, sourceTopics, startOffset } from './prepare-topics.ts';
import { createStore, storePrefix } from './store-factory.ts';
import type { Task } from './task.ts';
import { loopTopics, TopicMap } from './topic-map.ts';
import { fullTopicName } from './topic-names.ts';

export interface OpenTasksOptions extends RuntimeOptions {
  readonly config: RuntimeConfig;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly breathe: () => Promise<void> | undefined;
}

export interface OpenedTopology {
  /** By sub-topology, then partition. */
  readonly tasks: readonly Task[];
  readonly topics: TopicMap;
  readonly state: ApplicationState;
  storePrefix(store: string, partition: number): Uint8Array;
}

/**
 * From a graph to tasks that stand where the last commit left them: creates missing topics, checks the fingerprint,
 * numbers the stores, and gives every task its committed offsets and clocks.
 *
 * @throws MillraceError `TOPOLOGY_INCOMPATIBLE` naming what changed since the folder was last used with this application id.
 */
export async function openTasks(options: OpenTasksOptions): Promise<OpenedTopology> {
  const { topology, applicationId, engine, commits, log, config } = options;
  const { graph } = topology;
  const { counts, partitions } = await prepareTopics({ ...options, graph, internal: { retainsUnread: true } });
  const state = new ApplicationState(engine, applicationId);
  const storeIds = await numberedStores(state, commits, graph, partitions.internalTopics);

  const loops = new Set([...loopTopics(graph)].map((topic) => fullTopicName(graph, options, topic)));
  const { roundTrip, recordCacheBytes } = config;
  const topics = new TopicMap({ log, graph, naming: options, partitions: counts, loops, roundTrip });
  const environment = { ...options, graph, recordCacheBytes };
  const tasks: Task[] = [];
  for (const subtopology of graph.subtopologies) {
    const sources = sourceTopics(graph, options, subtopology, counts);
    for (let partition = 0; partition < partitions.tasks.get(subtopology.id)!; partition++) {
      const stores = new Map<string, StateStore>(
        subtopology.stores.map((name) => {
          return [name, createStore(graph.stores.get(name)!, storeIds.get(name)!, partition, engine)];
        }),
      );
      const inputs: TaskInput[] = [];
      for (const { topic, source } of sources) {
        if (partition >= counts.get(topic)!) continue;
        const of = { topic, partition };
        inputs.push({
          of,
          source,
          offset: await startOffset(log, applicationId, of),
          channel: topics.inputChannel(of),
        });
      }
      const saved = await state.task(taskId({ subtopology, partition }));
      tasks.push(openTask(environment, { subtopology, partition, stores, inputs, topics, saved }));
    }
  }
  return { tasks, topics, state, storePrefix: (store, partition) => storePrefix(storeIds.get(store)!, partition) };
}
