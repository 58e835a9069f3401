import type { GraphNode, Subtopology } from './graph.ts';

/**
 * Splits a graph into sub-topologies: the connected components over edges and shared stores. Topics do not connect: what
 * writes a repartition topic and what reads it run as different tasks, so that keys can move between them.
 *
 * Numbers follow the order of sources, those with topic names before those with patterns, as in Kafka Streams: a
 * sub-topology's number is part of its task ids, so it must not depend on names.
 */
export function groupNodes(nodes: ReadonlyMap<string, GraphNode>): readonly Subtopology[] {
  const groupOf = connect(nodes);
  const members = new Map<string, string[]>();
  for (const name of [...sourcesInOrder(nodes), ...nodes.keys()]) {
    const group = groupOf(name);
    if (!members.has(group)) members.set(group, []);
  }
  // Parents exist before their children are added, so the order of adding is a topological order.
  for (const name of nodes.keys()) members.get(groupOf(name))!.push(name);
  return [...members.values()].map((names, id) => ({
    id,
    nodes: names,
    sourceTopics: names.flatMap((name) => topicsOf(nodes.get(name)!)),
    stores: [...new Set(names.flatMap((name) => storesOf(nodes.get(name)!)))],
  }));
}

function sourcesInOrder(nodes: ReadonlyMap<string, GraphNode>): string[] {
  const sources = [...nodes.values()].filter((node) => node.kind === 'source');
  const byTopic = sources.filter((node) => !(node.topics instanceof RegExp));
  const byPattern = sources.filter((node) => node.topics instanceof RegExp);
  return [...byTopic, ...byPattern].map((node) => node.name);
}

/** Union-find: gives each node the name of its group's representative. */
function connect(nodes: ReadonlyMap<string, GraphNode>): (name: string) => string {
  const parent = new Map<string, string>();
  const find = (name: string): string => {
    let root = name;
    while (parent.get(root) !== undefined) root = parent.get(root)!;
    for (let at = name; at !== root;) {
      const next = parent.get(at)!;
      parent.set(at, root);
      at = next;
    }
    return root;
  };
  const unite = (a: string, b: string): void => {
    const [left, right] = [find(a), find(b)];
    if (left !== right) parent.set(right, left);
  };
  const firstUser = new Map<string, string>();
  for (const node of nodes.values()) {
    if (node.kind !== 'source') for (const name of node.parents) unite(name, node.name);
    for (const store of storesOf(node)) {
      const user = firstUser.get(store);
      if (user === undefined) firstUser.set(store, node.name);
      else unite(user, node.name);
    }
  }
  return find;
}

function topicsOf(node: GraphNode): readonly (string | RegExp)[] {
  if (node.kind !== 'source') return [];
  return node.topics instanceof RegExp ? [node.topics] : node.topics;
}

function storesOf(node: GraphNode): readonly string[] {
  return node.kind === 'processor' ? node.stores : [];
}
