import type { EmbeddedLog, TopicPartition, TopicSpec } from '../../log/index.ts';
import { MillraceError } from '../../schemas/errors.ts';
import type { StateStore } from '../../state/index.ts';
import { canonicalJson, compareFingerprints, fingerprint, type Fingerprint } from '../graph/fingerprint.ts';
import type { SourceNode, Subtopology, TopologyGraph } from '../graph/graph.ts';
import { matchesTopic, resolvePartitions } from '../graph/partitions.ts';
import { ApplicationState } from './application-state.ts';
import type { RuntimeConfig, RuntimeOptions } from './embedded-runtime.ts';
import { Failures } from './failures.ts';
import { logAndFail } from './handlers.ts';
import { InputPartition } from './input-partition.ts';
import type { Metrics } from './metrics.ts';
import type { ExecutableNode } from './node.ts';
import { createNode } from './operators/create-node.ts';
import { Outbox } from './outbox.ts';
import { planSubtopology } from './plan.ts';
import { Punctuations } from './punctuation.ts';
import { sinkNode } from './sink.ts';
import { createStore, storePrefix } from './store-factory.ts';
import { Task, type TaskState } from './task.ts';
import { fullTopicName, loopTopics, TopicMap } from './topic-map.ts';
import { wire } from './wiring.ts';

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
  const counts = await createTopics(options);
  const partitions = resolvePartitions(graph, counts);
  const internal = [...partitions.internalTopics].map(([name, count]) => ({
    name: fullTopicName(graph, applicationId, name),
    partitions: count,
    retainsUnread: true,
  }));
  await log.createTopics(internal);
  for (const { name, partitions: count } of internal) counts.set(name, count);

  const state = new ApplicationState(engine, applicationId);
  await checkFingerprint(state, fingerprint(graph, partitions.internalTopics), applicationId);
  const storeIds = await numberStores(state, graph);
  await commits.submit((writer) => {
    state.stageFingerprint(writer, canonicalJson(fingerprint(graph, partitions.internalTopics)));
    state.stageStoreIds(writer, storeIds.ids, storeIds.nextId);
  });

  const loops = new Set([...loopTopics(graph)].map((topic) => fullTopicName(graph, applicationId, topic)));
  const { roundTrip } = config;
  const topics = new TopicMap({ log, graph, applicationId, partitions: counts, loops, roundTrip });
  const tasks: Task[] = [];
  for (const subtopology of graph.subtopologies) {
    const sources = sourceTopics(graph, applicationId, subtopology, counts);
    for (let partition = 0; partition < partitions.tasks.get(subtopology.id)!; partition++) {
      const stores = new Map(
        subtopology.stores.map((name) => {
          return [name, createStore(graph.stores.get(name)!, storeIds.ids.get(name)!, partition, engine)];
        }),
      );
      tasks.push(await openTask(options, { subtopology, partition, stores, state, topics, sources, counts }));
    }
  }
  return { tasks, topics, state, storePrefix: (store, partition) => storePrefix(storeIds.ids.get(store)!, partition) };
}

interface TaskPlace {
  readonly subtopology: Subtopology;
  readonly partition: number;
  readonly stores: ReadonlyMap<string, StateStore>;
  readonly state: ApplicationState;
  readonly topics: TopicMap;
  readonly sources: readonly { readonly topic: string; readonly source: SourceNode }[];
  readonly counts: ReadonlyMap<string, number>;
}

async function openTask(options: OpenTasksOptions, place: TaskPlace): Promise<Task> {
  const { topology, applicationId, log, config, metrics, nowMs } = options;
  const { graph } = topology;
  const { subtopology, partition, stores, topics } = place;
  const id = `${subtopology.id}_${partition}`;
  const saved: TaskState = (await place.state.task(id)) ?? newTask;
  const outbox = new Outbox(topics, { sorts: planSubtopology(graph, subtopology).sortsSends });
  const handlers = { ...logAndFail, ...options.handlers };
  const { deadLetterTopic } = options;
  const failures = new Failures({ taskId: id, handlers, metrics, outbox, deadLetterTopic });
  const punctuations = new Punctuations(saved.schedules);
  const holder: { task?: Task } = {};
  const facts = {
    applicationId,
    taskId: id,
    partition,
    streamTimeMs: () => holder.task?.streamTimeMs ?? saved.streamTimeMs,
    nowMs,
  };
  const recordCache = config.recordCacheBytes > 0;
  const environment = { stores, specs: graph.stores, task: facts, punctuations, metrics, recordCache };
  const fullName = (topic: string) => fullTopicName(graph, applicationId, topic);

  const create = (name: string): ExecutableNode => {
    const node = graph.nodes.get(name)!;
    if (node.kind === 'sink') return sinkNode(node, fullName, outbox, failures);
    if (node.kind === 'source') throw new Error(`Source '${name}' cannot be part of a unit.`);
    const running = createNode(node, environment);
    if (running.observedTimeMs !== undefined) running.observedTimeMs = saved.observed[name] ?? -1;
    return running;
  };
  const wiring = wire({
    graph,
    subtopology,
    punctuations,
    create,
    onFailure: (node, record, error) => failures.processing(node, record.origin, error),
  });

  const inputs: InputPartition[] = [];
  for (const { topic, source } of place.sources) {
    if (partition >= place.counts.get(topic)!) continue;
    const of: TopicPartition = { topic, partition };
    inputs.push(
      new InputPartition({
        partition: of,
        source,
        offset: await startOffset(log, applicationId, of),
        partitionTimeMs: saved.partitionTimes[topic] ?? -1,
        read: (tp, offset, limits) => log.read(tp, offset, limits),
        channel: topics.inputChannel(of),
        onFailure: (origin, error) => failures.deserialization(source.name, origin, error),
        dropped: metrics.counter('dropped-records', { node: source.name }),
      }),
    );
  }
  const { sources, units, nodes } = wiring;
  const { breathe } = options;
  const task = new Task({
    id,
    inputs,
    sources,
    units,
    nodes,
    stores,
    punctuations,
    streamTimeMs: saved.streamTimeMs,
    breathe,
    onBatchEnd: () => outbox.close(),
  });
  holder.task = task;
  return task;
}

const newTask: TaskState = { streamTimeMs: -1, observed: {}, partitionTimes: {}, schedules: {} };

async function startOffset(log: EmbeddedLog, group: string, of: TopicPartition): Promise<number> {
  const [committed] = await log.committedOffsets(group, [of]);
  return committed ?? (await log.listOffsets(of, 'earliest'));
}

/** Creates the topics the graph names and the log does not have; gives the partition counts of all topics. */
async function createTopics({
  topology,
  topics,
  log,
  deadLetterTopic,
}: OpenTasksOptions): Promise<Map<string, number>> {
  const { graph } = topology;
  const counts = new Map((await log.topics()).map(({ name, partitions }) => [name, partitions]));
  const missing: TopicSpec[] = [];
  const want = (name: string): void => {
    if (counts.has(name) || graph.internalTopics.has(name)) return;
    const partitions = topics?.[name] ?? 1;
    counts.set(name, partitions);
    missing.push({ name, partitions });
  };
  for (const node of graph.nodes.values()) {
    if (node.kind === 'source' && !(node.topics instanceof RegExp)) for (const topic of node.topics) want(topic);
    if (node.kind === 'sink' && typeof node.topic === 'string') want(node.topic);
  }
  for (const name of Object.keys(topics ?? {})) want(name);
  if (deadLetterTopic !== undefined) want(deadLetterTopic);
  await log.createTopics(missing);
  return counts;
}

function sourceTopics(
  graph: TopologyGraph,
  applicationId: string,
  subtopology: Subtopology,
  counts: ReadonlyMap<string, number>,
): { topic: string; source: SourceNode }[] {
  return subtopology.nodes.flatMap((name) => {
    const source = graph.nodes.get(name)!;
    if (source.kind !== 'source') return [];
    const { topics } = source;
    const named =
      topics instanceof RegExp ? [...counts.keys()].filter((topic) => matchesTopic(topics, topic)).toSorted() : topics;
    return named.map((topic) => ({ topic: fullTopicName(graph, applicationId, topic), source }));
  });
}

async function checkFingerprint(state: ApplicationState, current: Fingerprint, applicationId: string): Promise<void> {
  const saved = await state.fingerprint();
  if (saved === undefined) return;
  const changes = compareFingerprints(JSON.parse(saved) as Fingerprint, current);
  if (changes.length === 0) return;
  throw new MillraceError(
    'TOPOLOGY_INCOMPATIBLE',
    `The state of '${applicationId}' was made by another topology: ${changes.join('; ')}. ` +
      'Use a new application id or data folder, or go back to the topology that made it.',
    { applicationId, changes: changes.join('; ') },
  );
}

async function numberStores(state: ApplicationState, graph: TopologyGraph) {
  let nextId = await state.nextStoreId();
  const ids = new Map<string, number>();
  for (const name of graph.stores.keys()) ids.set(name, (await state.storeId(name)) ?? nextId++);
  return { ids, nextId };
}
