import type { ProcessorNode, Subtopology, TopologyGraph } from '../graph/graph.ts';
import type { ExecutableNode } from './node.ts';
import { planSubtopology } from './plan.ts';
import type { Punctuations } from './punctuation.ts';
import type { RunningSource, WiredUnit } from './task.ts';
import { Unit, type Edge, type FailureListener } from './unit.ts';

export interface Wiring {
  readonly sources: readonly RunningSource[];
  readonly units: readonly WiredUnit[];
  readonly nodes: readonly ExecutableNode[];
}

export interface WiringOptions {
  readonly graph: TopologyGraph;
  readonly subtopology: Subtopology;
  readonly punctuations: Punctuations;
  /** Makes the running node: a processor's or a sink's. */
  readonly create: (name: string) => ExecutableNode;
  readonly onFailure: FailureListener;
}

/** Builds the units of a sub-topology and connects their edges: an edge belongs to the parent, its child reads it. */
export function wire({ graph, subtopology, punctuations, create, onFailure }: WiringOptions): Wiring {
  const plan = planSubtopology(graph, subtopology);
  const unitOf = new Map<string, readonly string[]>();
  for (const { nodes } of plan.units) for (const name of nodes) unitOf.set(name, nodes);

  const edgesOf = new Map<string, Edge[]>();
  for (const name of subtopology.nodes) {
    const node = graph.nodes.get(name)!;
    const children = node.kind === 'sink' ? [] : node.children;
    edgesOf.set(
      name,
      children.map((child, index) => {
        const sameUnit = unitOf.get(name) !== undefined && unitOf.get(name) === unitOf.get(child);
        return { child, index, inner: sameUnit ? unitOf.get(name)!.indexOf(child) : undefined, outputs: [] };
      }),
    );
  }

  // In the order of the topology, whatever the units: processors schedule their punctuations when they are made.
  const running = new Map<string, ExecutableNode>();
  for (const name of subtopology.nodes) if (graph.nodes.get(name)!.kind !== 'source') running.set(name, create(name));

  const units: WiredUnit[] = plan.units.map(({ nodes: names }) => {
    const members = names.map((name) => {
      return { node: running.get(name)!, edges: edgesOf.get(name)!, tracked: plan.tracked.has(name) };
    });
    const inputs = [...edgesOf.values()]
      .flat()
      .filter((edge) => edge.inner === undefined && names.includes(edge.child))
      .map((edge) => ({ place: names.indexOf(edge.child), edge }));
    return { unit: new Unit({ members, punctuations, onFailure }), inputs };
  });

  const sources: RunningSource[] = [];
  for (const name of subtopology.nodes) {
    const node = graph.nodes.get(name)!;
    if (node.kind === 'source') sources.push({ node, edges: edgesOf.get(name)!, tracked: plan.tracked.has(name) });
  }
  return { sources, units, nodes: [...running.values()] };
}

/** For developers: the units of every sub-topology, with those that fall back to one record at a time marked. */
export function describeExecution(graph: TopologyGraph): string {
  const lines: string[] = [];
  for (const subtopology of graph.subtopologies) {
    lines.push(`Sub-topology: ${subtopology.id}`);
    for (const { nodes } of planSubtopology(graph, subtopology).units) {
      const stores = new Set(nodes.flatMap((name) => (graph.nodes.get(name) as ProcessorNode).stores ?? []));
      const shared = nodes.length > 1 ? `  (group over [${[...stores].join(', ')}])` : '';
      lines.push(`    ${nodes.join(' + ')}${shared}`);
    }
  }
  return lines.join('\n');
}
