import type { GraphNode, Subtopology, TopologyGraph } from './graph.ts';
import { copiedHashOrder, hashOrder, TreeSet } from './java-order.ts';

/**
 * The topology as text, letter for letter as Kafka Streams' `Topology#describe` prints it, so that its visualisers
 * and its users' eyes work.
 *
 *     Topologies:
 *        Sub-topology: 0
 *         Source: KSTREAM-SOURCE-0000000000 (topics: [in])
 *           --> KSTREAM-SINK-0000000001
 *         Sink: KSTREAM-SINK-0000000001 (topic: out)
 *           <-- KSTREAM-SOURCE-0000000000
 *
 * Nodes with more below them come first, ties by name. Neighbours follow the same rule, but by the sizes known at the
 * moment they were linked, and nodes are linked in the order of a hash table (java-order.ts).
 */
export function describe(graph: TopologyGraph): string {
  const parts = graph.subtopologies.map((subtopology) => `  ${describeSubtopology(graph, subtopology)}`);
  return `Topologies:\n ${parts.join('')}`;
}

interface Described {
  readonly node: GraphNode;
  /** Paths that start here: the node itself and everything below it, once for every way down. */
  size: number;
  readonly predecessors: TreeSet<Described>;
  readonly successors: TreeSet<Described>;
}

function describeSubtopology(graph: TopologyGraph, subtopology: Subtopology): string {
  const nodes = link(graph, subtopology);
  const inOrder = nodes.toSorted(bySizeThenName);
  return `Sub-topology: ${subtopology.id}\n${inOrder.map((node) => `    ${describeNode(node)}\n`).join('')}\n`;
}

function link(graph: TopologyGraph, subtopology: Subtopology): Described[] {
  const sources = subtopology.nodes.filter((name) => graph.nodes.get(name)!.kind === 'source');
  const byName = new Map<string, Described>();
  for (const name of hashOrder(hashOrder([...sources, ...subtopology.nodes]))) {
    byName.set(name, {
      node: graph.nodes.get(name)!,
      size: 1,
      predecessors: new TreeSet(bySizeThenName),
      successors: new TreeSet(bySizeThenName),
    });
  }
  for (const described of byName.values()) {
    if (described.node.kind === 'source') continue;
    for (const parent of described.node.parents) {
      const predecessor = byName.get(parent)!;
      described.predecessors.add(predecessor);
      predecessor.successors.add(described);
      grow(predecessor, described.size);
    }
  }
  return [...byName.values()];
}

function grow(described: Described, by: number): void {
  described.size += by;
  for (const predecessor of described.predecessors) grow(predecessor, by);
}

function bySizeThenName(a: Described, b: Described): number {
  if (a === b) return 0;
  if (a.size !== b.size) return b.size - a.size;
  return a.node.name < b.node.name ? -1 : 1;
}

function describeNode({ node, predecessors, successors }: Described): string {
  const down = `\n      --> ${names(successors)}`;
  const up = `\n      <-- ${names(predecessors)}`;
  switch (node.kind) {
    case 'source':
      return `Source: ${node.name} (topics: ${topics(node.topics)})${down}`;
    case 'processor':
      return `Processor: ${node.name} (stores: [${copiedHashOrder(hashOrder(node.stores)).join(', ')}])${down}${up}`;
    case 'sink':
      return `Sink: ${node.name} (${sinkTopic(node.topic)})${up}`;
  }
}

function names(neighbours: TreeSet<Described>): string {
  return [...neighbours].map(({ node }) => node.name).join(', ') || 'none';
}

function topics(of: readonly string[] | RegExp): string {
  return of instanceof RegExp ? of.source : `[${copiedHashOrder(of).join(', ')}]`;
}

/** Kafka Streams prints the extractor object; a function's name is the nearest we have. */
function sinkTopic(topic: string | { readonly name: string }): string {
  return typeof topic === 'string' ? `topic: ${topic}` : `extractor class: ${topic.name || 'anonymous'}`;
}
