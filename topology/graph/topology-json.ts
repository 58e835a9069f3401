import { generatedNameWarnings } from './generated-names.ts';
import type { GraphNode, StoreSpec, Subtopology, TopologyGraph } from './graph.ts';

/** The topology for a screen or another program: names and numbers only, no functions. */
export interface TopologyJson {
  readonly subtopologies: readonly SubtopologyJson[];
  readonly stores: readonly StoreJson[];
  readonly internalTopics: readonly { readonly name: string; readonly partitions: number | null }[];
  readonly warnings: readonly string[];
}

export interface SubtopologyJson {
  readonly id: number;
  readonly sourceTopics: readonly string[];
  readonly stores: readonly string[];
  readonly nodes: readonly NodeJson[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

export interface NodeJson {
  readonly name: string;
  readonly kind: GraphNode['kind'];
  /** What a processor does: `filter`, `aggregate`, `process` … */
  readonly operator?: string;
  /** Topics read; a pattern as `/text/`. Of a sink, the topic written, or `null` when each record decides. */
  readonly topics?: readonly string[] | null;
  readonly stores?: readonly string[];
}

export interface StoreJson {
  readonly name: string;
  readonly kind: StoreSpec['kind'];
  readonly keySerde: string;
  readonly valueSerde: string;
  readonly storage: StoreSpec['storage'];
  readonly windowSizeMs?: number;
  readonly retentionMs?: number;
}

export function topologyToJson(graph: TopologyGraph): TopologyJson {
  return {
    subtopologies: graph.subtopologies.map((subtopology) => subtopologyToJson(graph, subtopology)),
    stores: [...graph.stores.values()].map(storeToJson),
    internalTopics: [...graph.internalTopics.values()].map(({ name, partitions }) => ({
      name,
      partitions: partitions ?? null,
    })),
    warnings: generatedNameWarnings(graph),
  };
}

function subtopologyToJson(graph: TopologyGraph, subtopology: Subtopology): SubtopologyJson {
  const nodes = subtopology.nodes.map((name) => graph.nodes.get(name)!);
  return {
    id: subtopology.id,
    sourceTopics: subtopology.sourceTopics.map(String),
    stores: subtopology.stores,
    nodes: nodes.map(nodeToJson),
    edges: nodes.flatMap((node) => (node.kind === 'sink' ? [] : node.children.map((to) => ({ from: node.name, to })))),
  };
}

function nodeToJson(node: GraphNode): NodeJson {
  const { name, kind } = node;
  switch (node.kind) {
    case 'source':
      return { name, kind, topics: node.topics instanceof RegExp ? [String(node.topics)] : node.topics };
    case 'processor':
      return { name, kind, operator: node.operator.op, stores: node.stores };
    case 'sink':
      return { name, kind, topics: typeof node.topic === 'string' ? [node.topic] : null };
  }
}

function storeToJson(store: StoreSpec): StoreJson {
  return {
    name: store.name,
    kind: store.kind,
    keySerde: store.keySerde.name,
    valueSerde: store.valueSerde.name,
    storage: store.storage,
    ...(store.kind === 'window' ? { windowSizeMs: store.windowSizeMs, retentionMs: store.retentionMs } : {}),
  };
}
