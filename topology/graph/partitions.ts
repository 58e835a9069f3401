import { MillraceError } from '../../schemas/index.ts';
import type { SourceNode, Subtopology, TopologyGraph } from './graph.ts';
import { topologyInvalid } from './topology-invalid.ts';

/**
 * How many partitions each repartition topic gets, and how many tasks each sub-topology.
 *
 * A repartition topic has the partitions it was given; or those of the topics it is joined with; or as many as the most that
 * any source of the sub-topology that writes it has. The last rule reaches through several hops, so it is applied until
 * nothing is left to decide. A sub-topology has as many tasks as the most partitions of any of its sources: task p reads
 * partition p of each of them.
 */
export interface Partitions {
  /** Repartition topics, by their name without the application id. */
  readonly internalTopics: ReadonlyMap<string, number>;
  /** Tasks of each sub-topology, by its id. */
  readonly tasks: ReadonlyMap<number, number>;
}

/**
 * @param topicPartitions every topic there is, with its number of partitions; patterns choose among them.
 * @throws MillraceError `TOPIC_NOT_FOUND` for a source topic that is not there; `TOPOLOGY_INVALID` when topics that are
 * joined have different numbers of partitions.
 */
export function resolvePartitions(graph: TopologyGraph, topicPartitions: ReadonlyMap<string, number>): Partitions {
  const counts = new Counts(graph, topicPartitions);
  for (const { name, partitions } of graph.internalTopics.values()) {
    if (partitions !== undefined) counts.internal.set(name, partitions);
  }
  alignJoins(graph, counts);
  while (decideOne(graph, counts)) alignJoins(graph, counts);
  const undecided = [...graph.internalTopics.keys()].filter((topic) => !counts.internal.has(topic));
  if (undecided.length > 0) {
    throw topologyInvalid(
      `Repartition topics [${undecided.join(', ')}] feed each other, so none has a number of partitions: give one`,
      { topics: undecided.join(',') },
    );
  }
  checkJoins(graph, counts);
  const tasks = graph.subtopologies.map(
    ({ id, nodes }) => [id, Math.max(0, ...nodes.map((name) => counts.of(name)!))] as const,
  );
  return { internalTopics: counts.internal, tasks: new Map(tasks) };
}

/** Whether a topic belongs to a pattern: its whole name must match, as in Kafka Streams. */
export function matchesTopic(pattern: RegExp, topic: string): boolean {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, '')).test(topic);
}

class Counts {
  readonly internal = new Map<string, number>();
  readonly #graph: TopologyGraph;
  readonly #external: ReadonlyMap<string, number>;

  constructor(graph: TopologyGraph, external: ReadonlyMap<string, number>) {
    this.#graph = graph;
    this.#external = external;
  }

  /** The most partitions of a source's topics; 0 for other nodes; undefined as long as a repartition topic is undecided. */
  of(nodeName: string): number | undefined {
    const node = this.#graph.nodes.get(nodeName)!;
    if (node.kind !== 'source') return 0;
    const counts = this.topics(node).map((topic) => this.topic(node, topic));
    return counts.includes(undefined) ? undefined : Math.max(0, ...(counts as number[]));
  }

  topics(source: SourceNode): readonly string[] {
    const { topics } = source;
    if (!(topics instanceof RegExp)) return topics;
    return [...this.#external.keys()].filter((topic) => matchesTopic(topics, topic));
  }

  topic(source: SourceNode, topic: string): number | undefined {
    if (this.#graph.internalTopics.has(topic)) return this.internal.get(topic);
    const found = this.#external.get(topic);
    if (found === undefined) {
      throw new MillraceError(
        'TOPIC_NOT_FOUND',
        `Source '${source.name}' wants topic '${topic}', which does not exist`,
        {
          node: source.name,
          topic,
        },
      );
    }
    return found;
  }

  isInternal(topic: string): boolean {
    return this.#graph.internalTopics.has(topic);
  }
}

/** Gives a repartition topic that is joined with decided topics as many partitions as those have. */
function alignJoins(graph: TopologyGraph, counts: Counts): void {
  for (let changed = true; changed;) {
    changed = false;
    for (const { sources } of graph.copartitionGroups) {
      const members = joined(graph, counts, sources);
      const decided =
        members.find(({ topic, partitions }) => partitions !== undefined && !counts.isInternal(topic)) ??
        members.find(({ partitions }) => partitions !== undefined);
      for (const { topic, partitions } of members) {
        if (decided === undefined || partitions !== undefined) continue;
        counts.internal.set(topic, decided.partitions!);
        changed = true;
      }
    }
  }
}

/** Decides the first undecided topic whose writers' sources are all decided. */
function decideOne(graph: TopologyGraph, counts: Counts): boolean {
  for (const topic of graph.internalTopics.keys()) {
    if (counts.internal.has(topic)) continue;
    const writers = graph.subtopologies.filter((subtopology) => writes(graph, subtopology, topic));
    const found = writers.flatMap(({ nodes }) => nodes.map((name) => counts.of(name)));
    if (found.includes(undefined)) continue;
    counts.internal.set(topic, Math.max(1, ...(found as number[])));
    return true;
  }
  return false;
}

function writes(graph: TopologyGraph, subtopology: Subtopology, topic: string): boolean {
  return subtopology.nodes.some((name) => {
    const node = graph.nodes.get(name)!;
    return node.kind === 'sink' && node.topic === topic;
  });
}

function checkJoins(graph: TopologyGraph, counts: Counts): void {
  for (const { sources, operator } of graph.copartitionGroups) {
    const [first, ...others] = joined(graph, counts, sources);
    for (const other of others) {
      if (first === undefined || other.partitions === first.partitions) continue;
      throw topologyInvalid(
        `Join '${operator}' wants as many partitions on both sides, found ${first.partitions} of '${first.topic}' and ` +
          `${other.partitions} of '${other.topic}'`,
        { node: operator, left: first.topic, right: other.topic },
      );
    }
  }
}

function joined(graph: TopologyGraph, counts: Counts, sources: readonly string[]) {
  return sources.flatMap((name) => {
    const source = graph.nodes.get(name) as SourceNode;
    return counts.topics(source).map((topic) => ({ topic, partitions: counts.topic(source, topic) }));
  });
}
