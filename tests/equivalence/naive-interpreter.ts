import type { AnyRecord, Operator } from '../../topology/graph/operator.ts';
import type { ProcessorNode, SinkNode, SourceNode, Subtopology, TopologyGraph } from '../../topology/graph/graph.ts';
import type { RecordMetadata } from '../../topology/processor.ts';
import { partitionOfKey } from './murmur2.ts';
import { runOperator } from './naive-operators.ts';
import { isNull, NaiveKeyValueStore, NaiveTable } from './naive-store.ts';
import { NaivePunctuations } from './naive-punctuations.ts';
import { startProcessor, type NaiveProcessor } from './naive-processor.ts';

/**
 * The oracle: a topology run one record at a time, depth first, the way Kafka Streams runs it.
 *
 * A record goes through all descendants of its source before the next one starts; a node's output goes through all of
 * the first child's descendants, then the second child's, before the node's next output starts: a forward is a
 * function call. Stores are Maps. Topics are arrays, and a repartition topic is one more of them. There are no batches,
 * no caches, no commits, no failures: whatever the runtime does about those has to end in what is computed here.
 *
 * Of topology/ it imports types only; the rules are written from Kafka Streams' behaviour, checked in
 * naive-interpreter.test.ts on cases whose outcome comes from Kafka Streams' own tests.
 *
 *     append ──> topic ──> task(sub-topology, partition): lowest head timestamp first ──> source ──> … ──> sink ──> topic
 */
export class NaiveInterpreter {
  readonly #graph: TopologyGraph;
  readonly #partitions: Readonly<Record<string, number>>;
  readonly #topics = new Map<string, NaiveRecord[][]>();
  readonly #tasks: NaiveTask[] = [];
  readonly applicationId = 'test';
  wallClockMs: number;

  constructor(graph: TopologyGraph, options: NaiveOptions = {}) {
    this.#graph = graph;
    this.#partitions = options.partitions ?? {};
    this.wallClockMs = options.initialWallClockMs ?? 0;
    for (const subtopology of graph.subtopologies) {
      for (let partition = 0; partition < this.#taskCount(subtopology); partition++) {
        this.#tasks.push(new NaiveTask(graph, subtopology, partition, this));
      }
    }
  }

  /** Appends to a topic as a producer would: the key's hash chooses the partition, without a key it is the first. */
  append(topic: string, record: Omit<AnyRecord, 'headers'>, keyBytes: Uint8Array | undefined): void {
    const partitions = this.topic(topic);
    const partition = keyBytes === undefined ? 0 : partitionOfKey(keyBytes, partitions.length);
    this.appendTo(topic, partition, { ...record, headers: [] });
  }

  appendTo(topic: string, partition: number, record: AnyRecord): void {
    const log = this.topic(topic)[partition]!;
    log.push({ ...record, partition, offset: log.length });
  }

  /** Partitions of a topic, each with all of its records. */
  topic(name: string): NaiveRecord[][] {
    let partitions = this.#topics.get(name);
    if (partitions === undefined) {
      partitions = Array.from({ length: this.partitionCount(name) }, () => []);
      this.#topics.set(name, partitions);
    }
    return partitions;
  }

  /** A repartition topic has as many partitions as the most that a source of the sub-topology above it has. */
  partitionCount(topic: string): number {
    const internal = this.#graph.internalTopics.get(topic);
    if (internal === undefined) return this.#partitions[topic] ?? 1;
    if (internal.partitions !== undefined) return internal.partitions;
    const above = this.#graph.subtopologies.filter((each) =>
      each.nodes.some((name) => {
        const node = this.#graph.nodes.get(name)!;
        return node.kind === 'sink' && node.topic === topic;
      }),
    );
    return Math.max(1, ...above.map((each) => this.#taskCount(each)));
  }

  #taskCount(subtopology: Subtopology): number {
    return Math.max(1, ...sourceTopics(subtopology).map((topic) => this.partitionCount(topic)));
  }

  /** Processes everything, through the repartition topics, to the end. */
  run(): void {
    let progress = true;
    while (progress) {
      progress = false;
      for (const task of this.#tasks) {
        while (task.processNext()) progress = true;
      }
    }
  }

  advanceWallClock(ms: number): void {
    this.wallClockMs += ms;
    for (const task of this.#tasks) task.wallClockPunctuations.punctuate(this.wallClockMs);
    this.run();
  }

  task(store: string, partition = 0): NaiveTask {
    const task = this.#tasks.find((each) => each.subtopology.stores.includes(store) && each.partition === partition);
    if (task === undefined) throw new Error(`no task has partition ${partition} of store ${store}`);
    return task;
  }

  /** How many partitions a store has. */
  storePartitions(store: string): number {
    return this.#tasks.filter((each) => each.subtopology.stores.includes(store)).length;
  }
}

export interface NaiveOptions {
  /** Partitions of outside topics; 1 when not named. */
  readonly partitions?: Readonly<Record<string, number>>;
  readonly initialWallClockMs?: number;
}

export interface NaiveRecord extends AnyRecord {
  readonly partition: number;
  readonly offset: number;
}

/** A sub-topology over one partition of its topics, with state of its own. */
export class NaiveTask {
  readonly subtopology: Subtopology;
  readonly partition: number;
  readonly interpreter: NaiveInterpreter;
  readonly tables = new Map<string, NaiveTable>();
  readonly keyValueStores = new Map<string, NaiveKeyValueStore>();
  readonly streamTimePunctuations = new NaivePunctuations();
  readonly wallClockPunctuations = new NaivePunctuations();
  streamTimeMs = -1;
  metadata: RecordMetadata | undefined;
  readonly #graph: TopologyGraph;
  readonly #positions = new Map<string, number>();
  readonly #processors = new Map<string, NaiveProcessor>();

  constructor(graph: TopologyGraph, subtopology: Subtopology, partition: number, interpreter: NaiveInterpreter) {
    this.#graph = graph;
    this.subtopology = subtopology;
    this.partition = partition;
    this.interpreter = interpreter;
    for (const name of subtopology.stores) {
      if (graph.stores.get(name)!.kind === 'key-value') {
        this.keyValueStores.set(name, new NaiveKeyValueStore(name, partition));
      } else {
        this.tables.set(name, new NaiveTable());
      }
    }
    for (const name of subtopology.nodes) {
      const node = graph.nodes.get(name)!;
      if (node.kind === 'processor' && node.operator.op === 'process') {
        this.#processors.set(name, startProcessor(this, node, node.operator.supplier));
      }
    }
  }

  get id(): string {
    return `${this.subtopology.id}_${this.partition}`;
  }

  /** The record with the lowest timestamp among the heads of the task's partitions; ties to the topic named first. */
  processNext(): boolean {
    let next: { readonly topic: string; readonly record: NaiveRecord } | undefined;
    for (const topic of sourceTopics(this.subtopology)) {
      const record = this.interpreter.topic(topic)[this.partition]?.[this.#positions.get(topic) ?? 0];
      if (record === undefined) continue;
      if (next === undefined || record.timestamp < next.record.timestamp) next = { topic, record };
    }
    if (next === undefined) return false;
    this.#process(next.topic, next.record);
    return true;
  }

  #process(topic: string, record: NaiveRecord): void {
    this.#positions.set(topic, record.offset + 1);
    this.streamTimeMs = Math.max(this.streamTimeMs, record.timestamp);
    this.metadata = { topic, partition: record.partition, offset: record.offset };
    this.forward(this.#sourceOf(topic), record);
    this.metadata = undefined;
    this.streamTimePunctuations.punctuate(this.streamTimeMs);
  }

  #sourceOf(topic: string): SourceNode {
    for (const name of this.subtopology.nodes) {
      const node = this.#graph.nodes.get(name)!;
      if (node.kind === 'source' && !(node.topics instanceof RegExp) && node.topics.includes(topic)) return node;
    }
    throw new Error(`no source reads ${topic}`);
  }

  /** One output of a node: through every child, one after the other, or through the one named. */
  forward(node: SourceNode | ProcessorNode, record: AnyRecord, childName?: string): void {
    for (const name of node.children) {
      if (childName !== undefined && name !== childName) continue;
      const child = this.#graph.nodes.get(name)!;
      if (child.kind === 'sink') this.#send(child, record);
      else if (child.kind === 'processor') this.#run(child, child.operator, record);
    }
  }

  #run(node: ProcessorNode, operator: Operator, record: AnyRecord): void {
    if (operator.op === 'process') this.#processors.get(node.name)!.process(record);
    else runOperator(this, operator, record, (output) => this.forward(node, output));
  }

  #send(sink: SinkNode, record: AnyRecord): void {
    const topic = typeof sink.topic === 'string' ? sink.topic : sink.topic(record);
    const keyBytes = isNull(record.key) ? undefined : sink.keySerde.serialize(record.key);
    const valueBytes = isNull(record.value) ? undefined : sink.valueSerde.serialize(record.value);
    const written = {
      key: keyBytes === undefined ? null : sink.keySerde.deserialize(keyBytes),
      value: valueBytes === undefined ? null : sink.valueSerde.deserialize(valueBytes),
      timestamp: record.timestamp,
    };
    this.interpreter.append(topic, written, keyBytes);
  }
}

function sourceTopics(subtopology: Subtopology): string[] {
  return subtopology.sourceTopics.map((topic) => {
    if (typeof topic !== 'string') throw new Error('the interpreter reads topics by name only');
    return topic;
  });
}
