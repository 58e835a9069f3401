import type { GraphNode, Subtopology, TopologyGraph } from '../graph/graph.ts';

/**
 * How a sub-topology is run in batches.
 *
 * A *unit* is what runs over a whole batch before the next unit starts: usually one node. Nodes that share a store are
 * one unit, for each must see the other's writes record by record; and where contracting them makes a cycle, the whole
 * cycle is one unit (a path that leaves a unit and comes back would otherwise have to run twice). Units are in
 * topological order. `meets` says at which nodes paths meet, `tracked` above which nodes a record's turn is therefore
 * kept. The argument for all this is in docs/architecture/batch-execution.md.
 */
export interface Plan {
  readonly units: readonly UnitPlan[];
  readonly tracked: ReadonlySet<string>;
  /** Two sinks may write to one topic: sends of a batch are put in order of turn. */
  readonly sortsSends: boolean;
}

export interface UnitPlan {
  /** In topological order. */
  readonly nodes: readonly string[];
}

export function planSubtopology(graph: TopologyGraph, subtopology: Subtopology): Plan {
  const names = subtopology.nodes.filter((name) => node(graph, name).kind !== 'source');
  const groups = new Groups(names);
  for (const members of nodesByStore(graph, names).values()) {
    for (const member of members) groups.union(members[0]!, member);
  }
  for (const cycle of cyclesOf(graph, names, groups)) {
    for (const root of cycle) groups.union(cycle[0]!, root);
  }
  const units = inTopologicalOrder(graph, names, groups);
  const sortsSends = sinksMeet(graph, names);
  return { units, sortsSends, tracked: trackedNodes(graph, subtopology.nodes, units, sortsSends) };
}

function node(graph: TopologyGraph, name: string): GraphNode {
  return graph.nodes.get(name)!;
}

function childrenOf(graph: TopologyGraph, name: string): readonly string[] {
  const found = node(graph, name);
  return found.kind === 'sink' ? [] : found.children;
}

function nodesByStore(graph: TopologyGraph, names: readonly string[]): Map<string, string[]> {
  const byStore = new Map<string, string[]>();
  for (const name of names) {
    const found = node(graph, name);
    if (found.kind !== 'processor') continue;
    for (const store of found.stores) byStore.set(store, [...(byStore.get(store) ?? []), name]);
  }
  return byStore;
}

/** Union-find over node names. */
class Groups {
  readonly #parent: Map<string, string>;

  constructor(names: readonly string[]) {
    this.#parent = new Map(names.map((name) => [name, name]));
  }

  find(name: string): string {
    let root = name;
    while (this.#parent.get(root) !== root) root = this.#parent.get(root)!;
    return root;
  }

  union(a: string, b: string): void {
    this.#parent.set(this.find(b), this.find(a));
  }
}

/** Edges between groups; a group's edges to itself are left out. */
function groupEdges(graph: TopologyGraph, names: readonly string[], groups: Groups): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const name of names) {
    const from = groups.find(name);
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const child of childrenOf(graph, name)) if (groups.find(child) !== from) targets.add(groups.find(child));
  }
  return edges;
}

/** Strongly connected components of the contracted graph with more than one group (Tarjan 1972). */
function cyclesOf(graph: TopologyGraph, names: readonly string[], groups: Groups): string[][] {
  const edges = groupEdges(graph, names, groups);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const cycles: string[][] = [];

  const visit = (at: string): void => {
    index.set(at, index.size);
    low.set(at, index.get(at)!);
    stack.push(at);
    onStack.add(at);
    for (const next of edges.get(at)!) {
      if (!index.has(next)) {
        visit(next);
        low.set(at, Math.min(low.get(at)!, low.get(next)!));
      } else if (onStack.has(next)) {
        low.set(at, Math.min(low.get(at)!, index.get(next)!));
      }
    }
    if (low.get(at) !== index.get(at)) return;
    const component = stack.splice(stack.lastIndexOf(at));
    for (const member of component) onStack.delete(member);
    if (component.length > 1) cycles.push(component);
  };
  for (const root of edges.keys()) if (!index.has(root)) visit(root);
  return cycles;
}

function inTopologicalOrder(graph: TopologyGraph, names: readonly string[], groups: Groups): UnitPlan[] {
  const members = new Map<string, string[]>();
  for (const name of names) {
    const root = groups.find(name);
    members.set(root, [...(members.get(root) ?? []), name]);
  }
  const edges = groupEdges(graph, names, groups);
  const waiting = new Map([...members.keys()].map((root) => [root, 0]));
  for (const targets of edges.values()) for (const to of targets) waiting.set(to, waiting.get(to)! + 1);

  const units: UnitPlan[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].find(([, parents]) => parents === 0);
    if (ready === undefined) throw new Error('The contracted graph still has a cycle.');
    const [root] = ready;
    waiting.delete(root);
    units.push({ nodes: members.get(root)! });
    for (const to of edges.get(root)!) waiting.set(to, waiting.get(to)! - 1);
  }
  return units;
}

function sinksMeet(graph: TopologyGraph, names: readonly string[]): boolean {
  const sinks = names.map((name) => node(graph, name)).filter((found) => found.kind === 'sink');
  const topics = sinks.map(({ topic }) => topic);
  const dynamic = topics.some((topic) => typeof topic === 'function');
  return (dynamic && topics.length > 1) || new Set(topics).size < topics.length;
}

/** Nodes above a meeting point, the sources included. */
function trackedNodes(
  graph: TopologyGraph,
  names: readonly string[],
  units: readonly UnitPlan[],
  sortsSends: boolean,
): Set<string> {
  const parents = new Map<string, string[]>();
  for (const name of names) {
    for (const child of childrenOf(graph, name)) parents.set(child, [...(parents.get(child) ?? []), name]);
  }
  const tracked = new Set<string>();
  const trackAbove = (name: string): void => {
    for (const parent of parents.get(name) ?? []) {
      if (tracked.has(parent)) continue;
      tracked.add(parent);
      trackAbove(parent);
    }
  };
  for (const { nodes } of units) {
    const inner = new Set(nodes);
    const outside = nodes.flatMap((name) => (parents.get(name) ?? []).filter((parent) => !inner.has(parent)));
    if (outside.length > 1) for (const name of nodes) trackAbove(name);
  }
  if (sortsSends) for (const name of names) if (node(graph, name).kind === 'sink') trackAbove(name);
  return tracked;
}
