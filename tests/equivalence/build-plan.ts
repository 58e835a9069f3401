import type { TopologyGraph } from '../../topology/graph/graph.ts';
import type { Aggregation } from '../../topology/graph/operator.ts';
import type { Windowed } from '../../topology/record.ts';
import { GraphSketch } from './graph-sketch.ts';
import { hashOf, mix, text } from './mixing.ts';
import type { Plan, Stateless, Step } from './plan.ts';
import { supplierOf, type ProcessorPlan } from './test-processors.ts';

/**
 * The graph of a plan, with everything in it whose result is defined, and nothing else. What is left out, and why:
 *
 * - Streams of one *region* may meet: the streams of the outside topics are one region, what comes out of a repartition
 *   topic is one each. Which of two topics' records comes next is only defined when all of them are there already.
 * - With several partitions keys are changed only by lengthening them, so that all records of one key come from one
 *   partition of the topics; and behind a repartition topic, where the partitions' records mix as they come, there is
 *   nothing that looks across keys: no shared row, no clock, no record that could be late.
 * - Behind an aggregate that keeps updates back, only the last value a key is defined: what follows maps values, no more.
 */
export interface BuiltPlan {
  readonly graph: TopologyGraph;
  /** Sink topics, and how much of their content is defined. */
  readonly sinks: readonly { readonly topic: string; readonly compare: 'order' | 'lastValue' }[];
}

/** What a peek or foreach node has seen. */
export type Observe = (node: string, key: unknown, value: unknown) => void;

export function buildPlan(plan: Plan, observe: Observe): BuiltPlan {
  return new PlanBuilder(plan, observe).build();
}

interface Stream {
  readonly node: string;
  /** 0 for outside topics. */
  readonly region: number;
  /** Behind a record cache. */
  readonly sealed: boolean;
}

class PlanBuilder {
  readonly #sketch = new GraphSketch();
  readonly #plan: Plan;
  readonly #observe: Observe;
  readonly #streams: Stream[] = [];
  readonly #used = new Set<Stream>();
  readonly #tables: { readonly store: string; readonly region: number }[] = [];
  readonly #sinks: { topic: string; compare: 'order' | 'lastValue' }[] = [];
  #regions = 1;

  constructor(plan: Plan, observe: Observe) {
    this.#plan = plan;
    this.#observe = observe;
  }

  build(): BuiltPlan {
    for (let topic = 0; topic < this.#plan.topics; topic++) this.#source(topic);
    for (const step of this.#plan.steps) this.#add(step);
    for (const stream of this.#streams) if (!this.#used.has(stream)) this.#sink([stream], 1);
    return { graph: this.#sketch.build(), sinks: this.#sinks };
  }

  get #severalPartitions(): boolean {
    return this.#plan.partitions > 1;
  }

  #add(step: Step): void {
    const from = this.#streams[step.from % this.#streams.length]!;
    switch (step.op) {
      case 'source':
        this.#source(step.topic % this.#plan.topics);
        return;
      case 'stateless':
        if (!from.sealed || ['mapValues', 'peek', 'passThrough'].includes(step.kind)) this.#stateless(from, step.kind);
        return;
      case 'merge': {
        const other = this.#streams[step.other % this.#streams.length]!;
        if (from === other || from.region !== other.region || from.sealed || other.sealed) return;
        this.#stream([from, other], this.#sketch.processor({ op: 'passThrough' }, [from.node, other.node]));
        return;
      }
      case 'table':
        if (!from.sealed) this.#table(from);
        return;
      case 'join': {
        const tables = this.#tables.filter(({ region }) => region === from.region);
        const table = tables[step.table % Math.max(1, tables.length)];
        if (table === undefined || from.sealed) return;
        const joiner = (key: unknown, left: unknown, right: unknown) => mix('j', key, left, right);
        this.#stream(
          [from],
          this.#sketch.processor(
            { op: 'streamTableJoin', store: table.store, left: step.left, joiner },
            [from.node],
            [table.store],
          ),
        );
        return;
      }
      case 'aggregate':
        if (!from.sealed) this.#aggregate(from, step.aggregation);
        return;
      case 'windows':
        if (!from.sealed) this.#windows(from, step);
        return;
      case 'repartition':
        if (!from.sealed) this.#repartition(from, step.dropNullKeys);
        return;
      case 'process':
        if (!from.sealed) this.#process(from, step.processor, step.stores);
        return;
      case 'crossedGroups': {
        const other = this.#streams[step.other % this.#streams.length]!;
        if (from.sealed || other.sealed || from.region !== other.region) return;
        const sharing = step.processors.map((each) =>
          each.kind === 'twice' ? { ...each, kind: 'latest' as const } : each,
        );
        const [a, b, c, d] = sharing;
        this.#process(this.#process(from, a!, [3]), b!, [4]);
        this.#process(this.#process(other, d!, [4]), c!, [3]);
        return;
      }
      case 'sink': {
        const other = step.other === undefined ? from : this.#streams[step.other % this.#streams.length]!;
        if (other === from) this.#sink([from], 1);
        else if (other.region === from.region && !from.sealed && !other.sealed) {
          // Two nodes may write one topic only if they are in one task: otherwise the order is anybody's.
          this.#sink([from, other], this.#sketch.connected(from.node, other.node) ? step.nodes : 1);
        }
        return;
      }
    }
  }

  #stream(parents: readonly Stream[], node: string, changes: Partial<Stream> = {}): Stream {
    for (const parent of parents) this.#used.add(parent);
    const { region, sealed } = parents[0] ?? { region: 0, sealed: false };
    const stream = { node, region, sealed, ...changes };
    this.#streams.push(stream);
    return stream;
  }

  #source(topic: number): void {
    const node = this.#sketch.source(`in-${topic}`);
    if (!this.#streams.some((stream) => stream.node === node)) this.#stream([], node);
  }

  #stateless(from: Stream, kind: Stateless): void {
    const lengthen = (key: unknown) => `${text(key)}x`;
    const rekey = this.#severalPartitions
      ? lengthen
      : (key: unknown, value: unknown) => [null, lengthen(key), 'a', 'b'][hashOf(mix(key, value)) % 4];
    const parents = [from.node];
    const add = (operator: Parameters<GraphSketch['processor']>[0]) =>
      this.#stream([from], this.#sketch.processor(operator, parents));
    switch (kind) {
      case 'filter':
      case 'filterNot':
        add({ op: 'filter', predicate: (key, value) => hashOf(mix(key, value)) % 3 > 0, not: kind === 'filterNot' });
        return;
      case 'map':
        add({ op: 'map', mapper: (key, value) => [rekey(key, value), mix(value, 'm')] });
        return;
      case 'mapValues':
        // Of a row that came and went between two flushes nothing is forwarded, so nothing may follow from its absence.
        add({
          op: 'mapValues',
          mapper: (value, key) => (hashOf(value) % 7 === 0 || (from.sealed && value === null) ? null : mix(value, key)),
        });
        return;
      case 'flatMap':
        add({
          op: 'flatMap',
          mapper: (key, value) => parts(value).map((part) => [rekey(key, part), mix(value, part)] as const),
        });
        return;
      case 'flatMapValues':
        add({ op: 'flatMapValues', mapper: (value) => parts(value).map((part) => mix(value, part)) });
        return;
      case 'selectKey':
        add({ op: 'selectKey', mapper: rekey });
        return;
      case 'peek': {
        const node = `peek ${this.#streams.length}`;
        add({ op: 'peek', action: from.sealed ? () => {} : (key, value) => this.#observe(node, key, value) });
        return;
      }
      case 'passThrough':
        add({ op: 'passThrough' });
        return;
    }
  }

  #table(from: Stream): void {
    const store = this.#sketch.tableStore(`table-${this.#tables.length}`, this.#plan.caching);
    this.#tables.push({ store, region: from.region });
    this.#toStream(from, this.#sketch.processor({ op: 'tableSource', store }, [from.node], [store]));
  }

  #aggregate(from: Stream, kind: Aggregation['kind']): void {
    const store = this.#sketch.tableStore(`aggregate-${this.#streams.length}`, this.#plan.caching);
    this.#tables.push({ store, region: from.region });
    this.#toStream(
      from,
      this.#sketch.processor({ op: 'aggregate', store, aggregation: aggregationOf(kind) }, [from.node], [store]),
    );
  }

  #windows(from: Stream, step: Extract<Step, { op: 'windows' }>): void {
    const { sizeMs, overlap } = step.window;
    const graceMs = this.#lookAcrossKeys(from) ? step.window.graceMs : 1e9;
    const window = { sizeMs, advanceMs: sizeMs / overlap, graceMs };
    const name = `windows-${this.#streams.length}`;
    const sizes = { windowSizeMs: sizeMs, retentionMs: sizeMs + graceMs };
    const store = this.#sketch.windowStore(name, sizes, this.#plan.caching);
    const aggregation = aggregationOf(step.aggregation);
    const node = this.#sketch.processor({ op: 'windowedAggregate', store, window, aggregation }, [from.node], [store]);
    const startInKey = (key: unknown) => {
      const { key: inner, window: of } = key as Windowed<unknown>;
      return `${text(inner)}@${of.startMs}`;
    };
    this.#toStream(from, node, step.keepKey ? undefined : startInKey);
  }

  /** False where records of several partitions mix as they come. */
  #lookAcrossKeys(stream: Stream): boolean {
    return !this.#severalPartitions || stream.region === 0;
  }

  #toStream(from: Stream, table: string, mapper?: (key: unknown, value: unknown) => unknown): void {
    const node = this.#sketch.processor({ op: 'toStream', mapper }, [table]);
    this.#stream([from], node, { sealed: this.#plan.caching });
  }

  #repartition(from: Stream, dropNullKeys: boolean): void {
    const parent = dropNullKeys ? this.#sketch.processor({ op: 'dropNullKeys' }, [from.node]) : from.node;
    this.#stream([from], this.#sketch.repartition(parent), { region: this.#regions++ });
  }

  #process(from: Stream, planned: ProcessorPlan, stores: readonly number[]): Stream {
    const plan = this.#lookAcrossKeys(from) ? planned : { ...planned, kind: 'tally' as const, tick: undefined };
    // What a child sees of a write that follows a forward is only defined where nobody waits: `twice` keeps to itself.
    const names = (plan.kind === 'twice' ? [`own-${this.#streams.length}`] : stores.map(String)).map((store) =>
      this.#sketch.keyValueStore(`region-${from.region}-${store}`),
    );
    return this.#stream(
      [from],
      this.#sketch.processor({ op: 'process', supplier: supplierOf(plan, names) }, [from.node], names),
    );
  }

  #sink(from: readonly Stream[], nodes: 1 | 2): void {
    for (const stream of from) this.#used.add(stream);
    const topic = `out-${this.#sinks.length}`;
    const parents = from.map(({ node }) => node);
    if (nodes === 1) this.#sketch.sink(topic, parents);
    else for (const parent of parents) this.#sketch.sink(topic, [parent]);
    this.#sinks.push({ topic, compare: from.some(({ sealed }) => sealed) ? 'lastValue' : 'order' });
  }
}

/** None, one or two. */
function parts(value: unknown): string[] {
  return ['p', 'q'].slice(0, hashOf(value) % 3);
}

function aggregationOf(kind: Aggregation['kind']): Aggregation {
  switch (kind) {
    case 'count':
      return { kind };
    case 'reduce':
      return { kind, reducer: (aggregate, value) => mix(aggregate, value) };
    case 'aggregate':
      return {
        kind,
        initializer: () => 'init',
        aggregator: (key, value, aggregate) => (hashOf(value) % 5 === 0 ? null : mix(aggregate, key, value)),
      };
  }
}
