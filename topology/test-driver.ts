import { openEmbeddedLog, type EmbeddedLog, type LogHeader } from '../log/index.ts';
import { MillraceError } from '../schemas/errors.ts';
import type { Serde } from '../schemas/serde.ts';
import { createGroupCommit, createMemoryEngine, type Engine, type StateStore } from '../state/index.ts';
import { EmbeddedRuntime, type DrainOptions, type RuntimeConfig } from './runtime/embedded-runtime.ts';
import type { ExceptionHandlers } from './runtime/handlers.ts';
import type { Topology } from './topology.ts';

/**
 * Tests a topology with no broker, no sleeping, and a clock that the test moves.
 *
 * It is the embedded runtime itself over an engine in memory, driven by hand, with one difference: every record takes the
 * way through its bytes between tasks, so that a serde that loses something is noticed.
 *
 * @example
 * const driver = await TopologyTestDriver.create(topology);
 * const words = driver.createInputTopic('words', stringSerde, stringSerde);
 * const counts = driver.createOutputTopic('counts', stringSerde, jsonSerde<number>());
 * await words.pipeInput('k', 'hello hello');
 * await counts.readKeyValues(); // [['hello', 1], ['hello', 2]]
 */
export class TopologyTestDriver {
  readonly #runtime: EmbeddedRuntime;
  readonly #log: EmbeddedLog;
  readonly #clock: { nowMs: number };
  readonly #unfinished: Promise<unknown>[] = [];

  private constructor(runtime: EmbeddedRuntime, log: EmbeddedLog, clock: { nowMs: number }) {
    this.#runtime = runtime;
    this.#log = log;
    this.#clock = clock;
  }

  static async create(topology: Topology, options: TestDriverOptions = {}): Promise<TopologyTestDriver> {
    const engine = options.engine ?? createMemoryEngine();
    const clock = { nowMs: options.initialWallClockMs ?? 0 };
    const nowMs = () => clock.nowMs;
    const commits = createGroupCommit(engine);
    const log = await openEmbeddedLog({ engine, commits, clock: nowMs });
    const topics = { ...options.topics };
    for (const extra of options.extraTopics ?? []) topics[extra] ??= 1;
    const { deserializationHandler, processingHandler, productionHandler } = options;
    const runtime = await EmbeddedRuntime.open({
      topology,
      applicationId: options.applicationId ?? 'test',
      engine,
      commits,
      log,
      topics,
      nowMs,
      config: {
        roundTrip: true,
        maxBatchRecords: options.maxBatchRecords ?? 1,
        recordCacheBytes: options.cacheMaxBytes ?? 0,
        ...options.config,
      },
      handlers: {
        ...(deserializationHandler && { deserialization: deserializationHandler }),
        ...(processingHandler && { processing: processingHandler }),
        ...(productionHandler && { production: productionHandler }),
      },
      ...(options.deadLetterTopic !== undefined && { deadLetterTopic: options.deadLetterTopic }),
    });
    return new TopologyTestDriver(runtime, log, clock);
  }

  createInputTopic<K, V>(topic: string, keySerde: Serde<K>, valueSerde: Serde<V>): TestInputTopic<K, V> {
    const enqueue = (key: K | null, value: V | null, timestamp: number, options: PipeOptions = {}): void => {
      const record = {
        key: key === null ? null : keySerde.serialize(key),
        value: value === null ? null : valueSerde.serialize(value),
        timestamp,
        headers: options.headers ?? [],
      };
      this.#unfinished.push(this.#log.produce({ topic, partition: options.partition ?? 0 }, [record]));
    };
    return {
      enqueue: (key, value, timestamp = this.#clock.nowMs, options) => enqueue(key, value, timestamp, options),
      pipeInput: async (key, value, timestamp = this.#clock.nowMs, options) => {
        enqueue(key, value, timestamp, options);
        await this.run();
      },
      pipeBytes: async (key, value, timestamp = this.#clock.nowMs, partition = 0) => {
        await this.#log.produce({ topic, partition }, [{ key, value, timestamp }]);
        await this.run();
      },
    };
  }

  createOutputTopic<K, V>(topic: string, keySerde: Serde<K>, valueSerde: Serde<V>): TestOutputTopic<K, V> {
    const positions: number[] = [];
    const readRecords = async (): Promise<TestRecord<K, V>[]> => {
      const spec = (await this.#log.topics()).find(({ name }) => name === topic);
      if (spec === undefined) throw new MillraceError('TOPIC_NOT_FOUND', `There is no topic '${topic}'.`, { topic });
      const records: TestRecord<K, V>[] = [];
      for (let partition = 0; partition < spec.partitions; partition++) {
        for (;;) {
          const limits = { maxRecords: 10_000, maxBytes: 64 * 1024 * 1024 };
          const fetched = await this.#log.read({ topic, partition }, positions[partition] ?? 0, limits);
          positions[partition] = fetched.nextOffset;
          if (fetched.records.length === 0) break;
          for (const { key, value, timestamp, headers, offset } of fetched.records) {
            records.push({
              key: key === null ? null : keySerde.deserialize(key),
              value: value === null ? null : valueSerde.deserialize(value),
              timestamp,
              headers: headers ?? [],
              partition,
              offset,
            });
          }
        }
      }
      return records;
    };
    return {
      readRecords,
      readKeyValues: async () => (await readRecords()).map(({ key, value }) => [key, value]),
    };
  }

  /** Processes what is enqueued, through repartition topics too, and commits; `maxBatches` stops earlier, uncommitted. */
  async run(options: DrainOptions = {}): Promise<void> {
    await Promise.all(this.#unfinished.splice(0));
    await this.#runtime.drain(options);
  }

  async commit(): Promise<void> {
    await this.#runtime.commit();
  }

  /** Moves the clock, runs the punctuations that are due, and what follows from them. */
  async advanceWallClock(ms: number): Promise<void> {
    this.#clock.nowMs += ms;
    await this.#runtime.punctuate();
    await this.run();
  }

  getStateStore<S extends StateStore>(name: string, partition = 0): S {
    const store = this.#runtime.stores(name).find((candidate) => candidate.partition === partition);
    if (store === undefined) {
      const found = this.#runtime.stores(name).length;
      const message = `Wanted partition ${partition} of store '${name}'; it has ${found} partitions.`;
      throw new MillraceError('STORE_NOT_FOUND', message, { store: name, partition });
    }
    return store as S;
  }

  /** Counters by name and labels: `dropped-records{node="…"}`, `late-records{…}`, `skipped-records{…}`, `commits` … */
  metrics(): { readonly [counter: string]: number } {
    return this.#runtime.metrics.snapshot();
  }

  /** The process dies: whatever is uncommitted is lost. Create a driver on the same engine to start again. */
  async crash(): Promise<void> {
    await Promise.all(this.#unfinished.splice(0));
    await this.#runtime.abandon();
  }

  /** Commits and closes. */
  async close(): Promise<void> {
    await Promise.all(this.#unfinished.splice(0));
    await this.#runtime.stop();
  }
}

export interface TestDriverOptions {
  /** Default `test`. */
  readonly applicationId?: string;
  /** Default 0. */
  readonly initialWallClockMs?: number;
  /** Record cache of stores with caching on; default 0 = off: every update is forwarded. */
  readonly cacheMaxBytes?: number;
  /** Default 1: as record-at-a-time as it can be. */
  readonly maxBatchRecords?: number;
  /** Partitions of topics; default 1 each. */
  readonly topics?: { readonly [topic: string]: number };
  /** Topics that pattern sources may match. */
  readonly extraTopics?: readonly string[];
  /** Default: a new one in memory. Give the same one again to start again after `crash()`. */
  readonly engine?: Engine;
  readonly deserializationHandler?: ExceptionHandlers['deserialization'];
  readonly processingHandler?: ExceptionHandlers['processing'];
  readonly productionHandler?: ExceptionHandlers['production'];
  readonly deadLetterTopic?: string;
  readonly config?: Partial<RuntimeConfig>;
}

export interface PipeOptions {
  readonly headers?: readonly LogHeader[];
  readonly partition?: number;
}

export interface TestInputTopic<K, V> {
  /** Appends, processes to the end, commits. Timestamp: default the clock's. */
  pipeInput(key: K | null, value: V | null, timestamp?: number, options?: PipeOptions): Promise<void>;
  /** Appends only; `driver.run()` processes. */
  enqueue(key: K | null, value: V | null, timestamp?: number, options?: PipeOptions): void;
  /** Appends bytes that need not be what the serde wants. */
  pipeBytes(key: Uint8Array | null, value: Uint8Array | null, timestamp?: number, partition?: number): Promise<void>;
}

export interface TestOutputTopic<K, V> {
  /** What has arrived since the last read: by partition, then offset. */
  readRecords(): Promise<readonly TestRecord<K, V>[]>;
  readKeyValues(): Promise<readonly (readonly [K | null, V | null])[]>;
}

export interface TestRecord<K, V> {
  readonly key: K | null;
  readonly value: V | null;
  readonly timestamp: number;
  readonly headers: readonly LogHeader[];
  readonly partition: number;
  readonly offset: number;
}
