import { jsonSerde, type Serde } from '../schemas/index.ts';
import { describe } from './graph/describe.ts';
import type {
  CopartitionGroup,
  GraphNode,
  InternalTopicSpec,
  ProcessorNode,
  SinkNode,
  SourceNode,
  StoreSpec,
  StreamPartitioner,
  TimestampExtractor,
  TopicNameExtractor,
  TopologyGraph,
} from './graph/graph.ts';
import { generatedNameWarnings } from './graph/generated-names.ts';
import { groupNodes } from './graph/node-group.ts';
import type { Operator } from './graph/operator.ts';
import { topologyToJson, type TopologyJson } from './graph/topology-json.ts';
import { topologyInvalid } from './graph/topology-invalid.ts';
import type { ProcessorSupplier } from './processor.ts';

export interface SourceOptions<K = unknown, V = unknown> {
  /** Default: JSON. */
  readonly keySerde?: Serde<K> | undefined;
  /** Default: JSON. */
  readonly valueSerde?: Serde<V> | undefined;
  /** Event time of a record; default: the timestamp it was produced with. */
  readonly timestampExtractor?: TimestampExtractor | undefined;
}

export interface SinkOptions<K = unknown, V = unknown> {
  readonly keySerde?: Serde<K> | undefined;
  readonly valueSerde?: Serde<V> | undefined;
  /** Default: Kafka's own, murmur2 of the key's bytes. */
  readonly partitioner?: StreamPartitioner<K, V> | undefined;
}

/**
 * A topology, node by node: the low-level way to write one, and what `StreamsBuilder.build()` gives.
 *
 * A parent must be there before its child and a store before its processor, so a topology cannot have cycles. What is
 * wrong with it is said at once, as `TOPOLOGY_INVALID`.
 *
 * @example
 * const topology = new Topology()
 *   .addSource('source', 'in', { keySerde: stringSerde, valueSerde: stringSerde })
 *   .addProcessor('dedupe', { get: () => new Dedupe() }, 'source')
 *   .addStateStore(Stores.keyValue('seen', { keySerde: stringSerde, valueSerde: jsonSerde() }), 'dedupe')
 *   .addSink('sink', 'out', 'dedupe', { keySerde: stringSerde, valueSerde: stringSerde });
 */
export class Topology {
  readonly #nodes = new Map<string, BuildingNode>();
  readonly #stores = new Map<string, StoreSpec>();
  readonly #internalTopics = new Map<string, InternalTopicSpec>();
  readonly #copartitionGroups: CopartitionGroup[] = [];
  #graph: TopologyGraph | undefined;

  /**
   * Reads topics: one name, several, or every topic whose whole name matches the pattern. A topic has one source: two
   * would be read twice and could drift apart.
   */
  addSource<K, V>(name: string, topics: string | readonly string[] | RegExp, options: SourceOptions<K, V> = {}): this {
    const source: BuildingSource = {
      kind: 'source',
      name,
      topics: topics instanceof RegExp ? topics : [topics].flat(),
      keySerde: (options.keySerde ?? jsonSerde()) as Serde<unknown>,
      valueSerde: (options.valueSerde ?? jsonSerde()) as Serde<unknown>,
      timestampExtractor: options.timestampExtractor,
      children: [],
    };
    this.#checkTopics(source);
    this.#add(source, []);
    return this;
  }

  addProcessor<KIn, VIn, KOut, VOut>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
    parents: string | readonly string[],
  ): this {
    return this.addOperator(
      name,
      { op: 'process', supplier: supplier as unknown as ProcessorSupplier },
      [parents].flat(),
    );
  }

  /** Adds a store and connects processors to it. Processors that share a store run in the same task. */
  addStateStore(store: StoreSpec, ...processors: string[]): this {
    if (this.#stores.has(store.name))
      throw topologyInvalid(`Store '${store.name}' is there already`, { store: store.name });
    this.#stores.set(store.name, store);
    this.#graph = undefined;
    for (const processor of processors) this.connectProcessorAndStateStores(processor, store.name);
    return this;
  }

  connectProcessorAndStateStores(processor: string, ...stores: string[]): this {
    const node = this.#nodes.get(processor);
    if (node?.kind !== 'processor') {
      throw topologyInvalid(
        `Stores [${stores.join(', ')}] want a processor '${processor}', found ${node === undefined ? 'none' : `a ${node.kind}`}`,
        { node: processor },
      );
    }
    for (const store of stores) {
      if (!this.#stores.has(store)) {
        throw topologyInvalid(
          `Processor '${processor}' wants store '${store}', found ${listed(this.#stores.keys())}: add the store first`,
          { node: processor, store },
        );
      }
      if (!node.stores.includes(store)) node.stores.push(store);
    }
    this.#graph = undefined;
    return this;
  }

  /** Writes to a topic, or to the topic that the extractor names for each record. */
  addSink<K, V>(
    name: string,
    topic: string | TopicNameExtractor,
    parents: string | readonly string[],
    options: SinkOptions<K, V> = {},
  ): this {
    const sink: SinkNode = {
      kind: 'sink',
      name,
      topic,
      keySerde: (options.keySerde ?? jsonSerde()) as Serde<unknown>,
      valueSerde: (options.valueSerde ?? jsonSerde()) as Serde<unknown>,
      partitioner: options.partitioner as StreamPartitioner | undefined,
      parents: [parents].flat(),
    };
    this.#add(sink, sink.parents);
    return this;
  }

  /** @internal What the builder's operators become. */
  addOperator(name: string, operator: Operator, parents: readonly string[]): this {
    this.#add({ kind: 'processor', name, operator, stores: [], parents, children: [] }, parents);
    return this;
  }

  /** @internal */
  addInternalTopic(topic: InternalTopicSpec): this {
    this.#internalTopics.set(topic.name, topic);
    this.#graph = undefined;
    return this;
  }

  /** @internal */
  addCopartitionGroup(group: CopartitionGroup): this {
    this.#copartitionGroups.push(group);
    this.#graph = undefined;
    return this;
  }

  /** The topology as plain data. */
  get graph(): TopologyGraph {
    if (this.#nodes.size === 0) throw topologyInvalid('A topology wants at least one source, found no node at all');
    if (this.#graph === undefined) {
      const nodes = new Map<string, GraphNode>([...this.#nodes].map(([name, node]) => [name, copied(node)]));
      this.#graph = {
        nodes,
        stores: new Map(this.#stores),
        internalTopics: new Map(this.#internalTopics),
        subtopologies: groupNodes(nodes),
        copartitionGroups: [...this.#copartitionGroups],
      };
    }
    return this.#graph;
  }

  /** Stores and topics whose names were generated: they move, and lose their content, when an operator is added before them. */
  get warnings(): readonly string[] {
    return generatedNameWarnings(this.graph);
  }

  /** The text that Kafka Streams' `Topology#describe` gives, which its visualisers read. */
  describe(): string {
    return describe(this.graph);
  }

  /** For an API: sub-topologies with their nodes and edges, stores, internal topics and warnings. */
  toJSON(): TopologyJson {
    return topologyToJson(this.graph);
  }

  #add(node: BuildingNode, parents: readonly string[]): void {
    const found = this.#nodes.get(node.name);
    if (found !== undefined) {
      throw topologyInvalid(
        `Node names are unique: '${node.name}' is a ${found.kind} already, found a second, a ${node.kind}`,
        {
          node: node.name,
        },
      );
    }
    if (node.kind !== 'source' && parents.length === 0) {
      throw topologyInvalid(`${node.kind} '${node.name}' wants at least one parent, found none`, { node: node.name });
    }
    for (const parent of parents) this.#parent(node, parent).children.push(node.name);
    this.#nodes.set(node.name, node);
    this.#graph = undefined;
  }

  #parent(child: BuildingNode, name: string): BuildingSource | BuildingProcessor {
    const parent = this.#nodes.get(name);
    if (parent === undefined || parent.kind === 'sink') {
      throw topologyInvalid(
        `${child.kind} '${child.name}' wants parent '${name}', found ${parent === undefined ? listed(this.#nodes.keys()) : 'a sink'}`,
        { node: child.name, parent: name },
      );
    }
    return parent;
  }

  #checkTopics(source: SourceNode): void {
    if (!(source.topics instanceof RegExp) && source.topics.length === 0) {
      throw topologyInvalid(`Source '${source.name}' wants at least one topic, found none`, { node: source.name });
    }
    for (const other of this.#nodes.values()) {
      if (other.kind !== 'source') continue;
      const topic = sharedTopic(source, other);
      if (topic === undefined) continue;
      throw topologyInvalid(
        `A topic has one source: '${topic}' is read by '${other.name}' already, found it again in '${source.name}'`,
        { topic, node: source.name },
      );
    }
  }
}

type Building<N> = { -readonly [F in keyof N]: F extends 'children' | 'stores' ? string[] : N[F] };
type BuildingSource = Building<SourceNode>;
type BuildingProcessor = Building<ProcessorNode>;
type BuildingNode = BuildingSource | BuildingProcessor | SinkNode;

function copied(node: BuildingNode): GraphNode {
  switch (node.kind) {
    case 'source':
      return { ...node, children: [...node.children] };
    case 'processor':
      return { ...node, stores: [...node.stores], children: [...node.children] };
    case 'sink':
      return node;
  }
}

function sharedTopic(a: Pick<SourceNode, 'topics'>, b: Pick<SourceNode, 'topics'>): string | undefined {
  const [left, right] = [a.topics, b.topics];
  if (left instanceof RegExp || right instanceof RegExp) {
    return String(left) === String(right) ? String(left) : undefined;
  }
  return left.find((topic) => right.includes(topic));
}

function listed(names: Iterable<string>): string {
  const all = [...names];
  return all.length === 0 ? 'none' : `only [${all.join(', ')}]`;
}
