import type {
  GraphNode,
  InternalTopicSpec,
  StoreSpec,
  Subtopology,
  TopologyGraph,
} from '../../topology/graph/graph.ts';
import type { Operator } from '../../topology/graph/operator.ts';
import { jsonSerde } from './json-serde.ts';

/**
 * A topology's graph written down node by node, without the DSL: shapes that no DSL call makes (two tables on one
 * source, a source behind its own join) are as easy as the others. Everything is JSON.
 *
 * Nodes get the names `<op>-<n>`; children are in the order in which they were added, as are sub-topologies.
 */
export class GraphSketch {
  readonly #nodes = new Map<string, MutableNode>();
  readonly #stores = new Map<string, StoreSpec>();
  readonly #internalTopics = new Map<string, InternalTopicSpec>();

  source(topic: string): string {
    const name = `source-${topic}`;
    if (!this.#nodes.has(name)) {
      this.#nodes.set(name, {
        kind: 'source',
        name,
        topics: [topic],
        keySerde: jsonSerde,
        valueSerde: jsonSerde,
        timestampExtractor: undefined,
        children: [],
      });
    }
    return name;
  }

  processor(operator: Operator, parents: readonly string[], stores: readonly string[] = []): string {
    const name = `${operator.op}-${this.#nodes.size}`;
    this.#nodes.set(name, { kind: 'processor', name, operator, stores, parents, children: [] });
    this.#connect(name, parents);
    return name;
  }

  sink(topic: string, parents: readonly string[]): string {
    const name = `sink-${this.#nodes.size}`;
    const serdes = { keySerde: jsonSerde, valueSerde: jsonSerde };
    this.#nodes.set(name, { kind: 'sink', name, topic, ...serdes, partitioner: undefined, parents });
    this.#connect(name, parents);
    return name;
  }

  /** Through a topic of the topology's own; gives the source that reads it. */
  repartition(parent: string): string {
    const topic = `${parent}-repartition`;
    this.#internalTopics.set(topic, { name: topic, partitions: undefined });
    this.sink(topic, [parent]);
    return this.source(topic);
  }

  keyValueStore(name: string): string {
    return this.#store({ kind: 'key-value', ...storeBase(name, false) });
  }

  tableStore(name: string, caching: boolean): string {
    return this.#store({ kind: 'timestamped-key-value', ...storeBase(name, caching) });
  }

  windowStore(name: string, sizes: { windowSizeMs: number; retentionMs: number }, caching: boolean): string {
    return this.#store({ kind: 'window', ...sizes, ...storeBase(name, caching) });
  }

  #store(spec: StoreSpec): string {
    this.#stores.set(spec.name, spec);
    return spec.name;
  }

  /** True when both are in one task: linked by edges or shared stores. */
  connected(a: string, b: string): boolean {
    return this.#components().some((names) => names.has(a) && names.has(b));
  }

  build(): TopologyGraph {
    const nodes: ReadonlyMap<string, GraphNode> = this.#nodes;
    const subtopologies = this.#components().map((names, id): Subtopology => {
      // A node's parents are added before it, so the order of adding is a topological one.
      const members = [...nodes.values()].filter(({ name }) => names.has(name));
      return {
        id,
        nodes: members.map(({ name }) => name),
        sourceTopics: members.flatMap((node) =>
          node.kind === 'source' && !(node.topics instanceof RegExp) ? node.topics : [],
        ),
        stores: [...this.#stores.keys()].filter((store) =>
          members.some((node) => node.kind === 'processor' && node.stores.includes(store)),
        ),
      };
    });
    return { nodes, stores: this.#stores, internalTopics: this.#internalTopics, subtopologies, copartitionGroups: [] };
  }

  #connect(child: string, parents: readonly string[]): void {
    for (const parent of parents) {
      const node = this.#nodes.get(parent)!;
      if (node.kind === 'sink') throw new Error(`${parent} is a sink and has no children`);
      node.children.push(child);
    }
  }

  /** Sets of nodes linked by edges or stores, by the first node added. */
  #components(): Set<string>[] {
    let components: Set<string>[] = [];
    const nodeOfStore = new Map<string, string>();
    for (const node of this.#nodes.values()) {
      const linked = new Set([node.name]);
      if (node.kind !== 'source') for (const parent of node.parents) linked.add(parent);
      if (node.kind === 'processor') {
        for (const store of node.stores) linked.add(nodeOfStore.get(store) ?? node.name);
        for (const store of node.stores) nodeOfStore.set(store, node.name);
      }
      const touched = components.filter((each) => [...linked].some((name) => each.has(name)));
      const rest = components.filter((each) => !touched.includes(each));
      const merged = new Set([...touched.flatMap((each) => [...each]), ...linked]);
      const at = touched.length === 0 ? rest.length : components.indexOf(touched[0]!);
      components = [...rest.slice(0, at), merged, ...rest.slice(at)];
    }
    return components;
  }
}

type MutableNode = GraphNode extends infer N
  ? N extends { children: unknown }
    ? Omit<N, 'children'> & { children: string[] }
    : N
  : never;

function storeBase(name: string, caching: boolean) {
  return { name, keySerde: jsonSerde, valueSerde: jsonSerde, storage: 'rocksdb', caching, logging: true } as const;
}
