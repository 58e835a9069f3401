import type { Log, TopicPartition, TopicSpec } from '../../log/index.ts';
import type { SourceNode, Subtopology, TopologyGraph } from '../graph/graph.ts';
import { matchesTopic, resolvePartitions, type Partitions } from '../graph/partitions.ts';
import { fullTopicName, outputTopics, ownTopicName, type TopicNaming } from './topic-names.ts';

export interface PrepareTopicsOptions extends TopicNaming {
  readonly graph: TopologyGraph;
  readonly log: Pick<Log, 'topics' | 'createTopics'>;
  /** Partitions of topics that don't exist yet; default 1. */
  readonly topics?: { readonly [topic: string]: number };
  /** Settings of repartition topics. */
  readonly internal: Omit<TopicSpec, 'name' | 'partitions'>;
}

export interface PreparedTopics {
  /** Partitions of every topic of the log, by full name. */
  readonly counts: Map<string, number>;
  readonly partitions: Partitions;
}

/** Creates the topics that the graph names and the log does not have, repartition topics among them. */
export async function prepareTopics(options: PrepareTopicsOptions): Promise<PreparedTopics> {
  const { graph, log } = options;
  const counts = await createTopics(options);
  const partitions = resolvePartitions(graph, counts);
  const internal = [...partitions.internalTopics].map(([name, count]) => ({
    ...options.internal,
    name: fullTopicName(graph, options, name),
    partitions: count,
  }));
  await log.createTopics(internal);
  for (const { name, partitions: count } of internal) counts.set(name, count);
  return { counts, partitions };
}

async function createTopics(options: PrepareTopicsOptions): Promise<Map<string, number>> {
  const { graph, topics, log, deadLetterTopic } = options;
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
  if (options.ownOutputs === true) await createOwnOutputs(options, counts);
  return counts;
}

/** Beside the topics that others know, and as those are. */
async function createOwnOutputs(options: PrepareTopicsOptions, counts: Map<string, number>): Promise<void> {
  const { graph, log, applicationId } = options;
  const outputs = outputTopics(graph, options);
  const own = (await log.topics())
    .filter(({ name }) => outputs.has(name))
    .map((spec) => ({ ...spec, name: ownTopicName(applicationId, spec.name) }));
  await log.createTopics(own);
  for (const { name, partitions } of own) counts.set(name, partitions);
}

export interface SourceTopic {
  /** Full name. */
  readonly topic: string;
  readonly source: SourceNode;
}

export function sourceTopics(
  graph: TopologyGraph,
  naming: TopicNaming,
  subtopology: Subtopology,
  counts: ReadonlyMap<string, number>,
): SourceTopic[] {
  return subtopology.nodes.flatMap((name) => {
    const source = graph.nodes.get(name)!;
    if (source.kind !== 'source') return [];
    const { topics } = source;
    const named =
      topics instanceof RegExp ? [...counts.keys()].filter((topic) => matchesTopic(topics, topic)).toSorted() : topics;
    return named.map((topic) => ({ topic: fullTopicName(graph, naming, topic), source }));
  });
}

/** Where a task begins to read: behind what its group has committed, or at the log's start. */
export async function startOffset(
  log: Pick<Log, 'committedOffsets' | 'listOffsets'>,
  group: string,
  of: TopicPartition,
): Promise<number> {
  const [committed] = await log.committedOffsets(group, [of]);
  return committed ?? (await log.listOffsets(of, 'earliest'));
}
