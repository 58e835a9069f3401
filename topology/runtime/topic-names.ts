import type { TopologyGraph } from '../graph/graph.ts';

/** How the topics that a topology names are called in the log. */
export interface TopicNaming {
  readonly applicationId: string;
  /**
   * The application writes its outputs, dead letters among them, to topics of its own, `<application id>-<topic>`, and reads
   * there what it reads of them: a generation that is not, or not yet, the one that others hear
   * (docs/architecture/replay.md). A topic that it only reads keeps its name. A sink that computes its topic is not asked.
   */
  readonly ownOutputs?: boolean | undefined;
  readonly deadLetterTopic?: string | undefined;
}

/** Repartition topics carry the application id in front, as in Kafka Streams. */
export function fullTopicName(graph: TopologyGraph, naming: TopicNaming, topic: string): string {
  const isOwn =
    graph.internalTopics.has(topic) || (naming.ownOutputs === true && outputTopics(graph, naming).has(topic));
  return isOwn ? ownTopicName(naming.applicationId, topic) : topic;
}

export function ownTopicName(applicationId: string, topic: string): string {
  return `${applicationId}-${topic}`;
}

/** What the topology writes for others, by the names that they know: sinks' topics and dead letters. */
export function outputTopics(
  graph: TopologyGraph,
  { deadLetterTopic }: Pick<TopicNaming, 'deadLetterTopic'>,
): ReadonlySet<string> {
  const outputs = new Set<string>(deadLetterTopic === undefined ? [] : [deadLetterTopic]);
  for (const node of graph.nodes.values()) {
    if (node.kind === 'sink' && typeof node.topic === 'string' && !graph.internalTopics.has(node.topic)) {
      outputs.add(node.topic);
    }
  }
  return outputs;
}

/** The topics that an application reads, as the topology names them, with their full names. Patterns are left out. */
export function readTopics(graph: TopologyGraph, naming: TopicNaming): ReadonlyMap<string, string> {
  const read = new Map<string, string>();
  for (const node of graph.nodes.values()) {
    if (node.kind !== 'source' || node.topics instanceof RegExp) continue;
    for (const topic of node.topics) read.set(topic, fullTopicName(graph, naming, topic));
  }
  return read;
}
