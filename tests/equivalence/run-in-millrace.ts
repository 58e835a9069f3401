import { createMemoryEngine, type Engine, type KeyValueStore, type WindowStore } from '../../state/index.ts';
import { TopologyTestDriver } from '../../topology/test-driver.ts';
import type { Topology } from '../../topology/topology.ts';
import type { BuiltPlan } from './build-plan.ts';
import type { History, Round } from './history.ts';
import { jsonSerde } from './json-serde.ts';
import { partitionOfKey } from './murmur2.ts';
import type { Outcome, OutputRecord, StoreRow } from './outcome.ts';
import type { Plan } from './plan.ts';

/** The history through the runtime, with its batches, commits and crashes. */
export async function runInMillrace(plan: Plan, built: BuiltPlan, history: History): Promise<Omit<Outcome, 'peeks'>> {
  const run = new MillraceRun(plan, built, history.config, createMemoryEngine());
  await run.start();
  try {
    for (const round of history.rounds) await run.round(round);
    return await run.outcome();
  } finally {
    await run.close();
  }
}

class MillraceRun {
  readonly #plan: Plan;
  readonly #built: BuiltPlan;
  readonly #config: History['config'];
  readonly #engine: Engine;
  #driver!: TopologyTestDriver;
  #wallClockMs = 0;

  constructor(plan: Plan, built: BuiltPlan, config: History['config'], engine: Engine) {
    this.#config = config;
    this.#plan = plan;
    this.#built = built;
    this.#engine = engine;
  }

  async start(): Promise<void> {
    const { topics, partitions, caching } = this.#plan;
    // The driver takes what the builder gives; the sketch makes the same graph without it.
    const topology = { graph: this.#built.graph } as Topology;
    this.#driver = await TopologyTestDriver.create(topology, {
      engine: this.#engine,
      initialWallClockMs: this.#wallClockMs,
      config: this.#config,
      cacheMaxBytes: caching ? 1 << 20 : 0,
      topics: Object.fromEntries(Array.from({ length: topics }, (_, i) => [`in-${i}`, partitions])),
    });
  }

  async round(round: Round): Promise<void> {
    const { records, maxBatchRecords, commitAfterBatches, crashAfterBatches, advanceWallClockMs } = round;
    for (const { topic, key, value, timestamp } of records) {
      const input = this.#driver.createInputTopic(`in-${topic % this.#plan.topics}`, jsonSerde, jsonSerde);
      const partition = key === null ? 0 : partitionOfKey(jsonSerde.serialize(key), this.#plan.partitions);
      input.enqueue(key, value, timestamp, { partition });
    }
    if (commitAfterBatches !== undefined) {
      await this.#driver.run({ maxBatchRecords, maxBatches: commitAfterBatches, commit: false });
      await this.#driver.commit();
    }
    if (crashAfterBatches !== undefined) {
      await this.#driver.run({ maxBatchRecords, maxBatches: crashAfterBatches, commit: false });
      await this.#driver.crash();
      await this.start();
    }
    await this.#driver.run({ maxBatchRecords });
    await this.#driver.advanceWallClock(advanceWallClockMs);
    await this.#driver.commit();
    this.#wallClockMs += advanceWallClockMs;
  }

  async outcome(): Promise<Omit<Outcome, 'peeks'>> {
    const sinks = new Map<string, readonly OutputRecord[]>();
    for (const { topic } of this.#built.sinks) {
      const output = this.#driver.createOutputTopic(topic, jsonSerde, jsonSerde);
      sinks.set(topic, await output.readRecords());
    }
    const stores = new Map<string, StoreRow[]>();
    for (const store of this.#built.graph.stores.keys()) stores.set(store, await this.#rowsOf(store));
    return { sinks, stores };
  }

  async #rowsOf(name: string): Promise<StoreRow[]> {
    const { graph } = this.#built;
    const rows: StoreRow[] = [];
    for (let partition = 0; partition < this.#plan.partitions; partition++) {
      const store: unknown = this.#driver.getStateStore(name, partition);
      switch (graph.stores.get(name)!.kind) {
        case 'key-value':
          for await (const [key, value] of (store as KeyValueStore<unknown, unknown>).range()) {
            rows.push({ partition, key, value });
          }
          break;
        case 'timestamped-key-value':
          for await (const [key, { value, timestamp }] of (store as TimestampedStore).range()) {
            rows.push({ partition, key, value, timestamp });
          }
          break;
        case 'window':
          for await (const [{ key, windowStartMs }, { value, timestamp }] of (
            store as WindowStore<unknown, unknown>
          ).fetchAll(0, Number.MAX_SAFE_INTEGER)) {
            rows.push({ partition, key, windowStartMs, value, timestamp });
          }
          break;
      }
    }
    return rows;
  }

  async close(): Promise<void> {
    await this.#driver.close();
  }
}

type TimestampedStore = KeyValueStore<unknown, { readonly value: unknown; readonly timestamp: number }>;
