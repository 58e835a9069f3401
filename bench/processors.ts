/**
 * What the shop's processors cost an event, each alone, over both years of UCI Online Retail:
 *
 *     npx tsx bench/processors.ts [events] [records a batch] [events a commit]
 *
 * Real stores over an engine in memory; no log, no runtime, no serdes between the steps, so this is the floor of the
 * topology's time. "work" is load, process and beforeCommit; "stage" is encoding what changed, once a commit. Three rounds, best of each.
 */
import { createMemoryEngine, WriteBatchBuilder, type KeyValueStore, type StateStore } from '../state/index.ts';
import { createStore } from '../topology/runtime/store-factory.ts';
import { noHeaders, Stores, type Processor, type ProcessorContext, type Record } from '../topology/index.ts';
import type { Interaction } from '../schemas/index.ts';
import { readUciOnlineRetail } from '../sources/index.ts';
import { sessionKey, storeNames, storeSerdes } from '../processors/index.ts';
import { CleanseProcessor } from '../processors/cleanse/cleanse-processor.ts';
import { PairProcessor } from '../processors/pairs/pair-processor.ts';
import { pairStepSerde } from '../processors/pairs/pair-step-serde.ts';
import { interactionBinarySerde } from '../processors/binary/interaction-serde.ts';
import { ProductProcessor } from '../processors/products/product-processor.ts';
import { SessionProcessor } from '../processors/sessions/session-processor.ts';
import { UserProcessor } from '../processors/users/user-processor.ts';

const [eventsMax = 1e9, batchRecords = 1000, commitRecords = 50_000] = process.argv.slice(2).map(Number);

type AnyRecord = Record<string, never>;

interface Measured {
  readonly output: AnyRecord[];
  readonly workMs: number;
  readonly stageMs: number;
  readonly changes: number;
  readonly bytes: number;
}

async function measure(processor: Processor<string, never>, input: readonly AnyRecord[]): Promise<Measured> {
  const engine = createMemoryEngine();
  const stores = new Map<string, StateStore>();
  const output: AnyRecord[] = [];
  const context = {
    partition: 0,
    forward: (record: AnyRecord) => void output.push(record),
    getStateStore: (name: keyof typeof storeSerdes) => {
      const { key, value } = storeSerdes[name];
      const spec = Stores.keyValue(name, { keySerde: key as never, valueSerde: value as never });
      const store = createStore(spec, stores.size, 0, engine);
      stores.set(name, store);
      return store as KeyValueStore<never, never>;
    },
  } as unknown as ProcessorContext;
  processor.init?.(context);
  let [workMs, stageMs, changes, bytes] = [0, 0, 0, 0];
  const commit = async () => {
    const flushMs = cpuMs();
    await processor.beforeCommit?.();
    const startMs = cpuMs();
    workMs += startMs - flushMs;
    for (const store of stores.values()) {
      const writer = new WriteBatchBuilder();
      store.stageChanges(writer);
      changes += writer.operations.length;
      bytes += writer.bytes;
      store.committed();
    }
    stageMs += cpuMs() - startMs;
  };
  let uncommitted = 0;
  for (let at = 0; at < input.length; at += batchRecords) {
    const batch = input.slice(at, at + batchRecords);
    const startMs = cpuMs();
    await processor.load?.(batch);
    for (const record of batch) void processor.process(record);
    workMs += cpuMs() - startMs;
    uncommitted += batch.length;
    if (uncommitted >= commitRecords) {
      await commit();
      uncommitted = 0;
    }
  }
  await commit();
  return { output, workMs, stageMs, changes, bytes };
}

async function events(): Promise<Record<string, Interaction>[]> {
  const records: Record<string, Interaction>[] = [];
  for (const year of [1, 2]) {
    const file = new URL(`../data/uci-online-retail/year-${year}.csv.br`, import.meta.url).pathname;
    for await (const batch of readUciOnlineRetail(file)) {
      for (const value of batch.events) {
        if (records.length >= eventsMax) return records;
        records.push({ key: sessionKey(value), value, timestamp: value.timestamp, headers: noHeaders });
      }
    }
  }
  return records;
}

const input = (await events()) as unknown as AnyRecord[];
console.log(
  `${input.length} events, ${batchRecords} records a batch, ${commitRecords} events a commit, node ${process.version}`,
);

const best = new Map<string, Measured>();
async function run(
  name: string,
  make: () => Processor<string, never>,
  records: readonly AnyRecord[],
): Promise<AnyRecord[]> {
  const found = await measure(make(), records);
  const before = best.get(name);
  if (before === undefined || found.workMs + found.stageMs < before.workMs + before.stageMs)
    best.set(name, { ...found, output: [] });
  return found.output;
}

const rekeyed = (records: readonly AnyRecord[], keyOf: (value: Interaction) => string | null) =>
  records.flatMap((record) => {
    const key = keyOf(record.value as unknown as Interaction);
    return key === null ? [] : [{ ...record, key }];
  });

for (let round = 0; round < 3; round += 1) {
  const clean = await run('cleanse', () => new CleanseProcessor(24 * 3_600_000) as Processor<string, never>, input);
  const steps = await run('session step', () => new SessionProcessor() as Processor<string, never>, clean);
  await run('pair rows', () => new PairProcessor(1) as Processor<string, never>, steps);
  await run(
    'products',
    () => new ProductProcessor() as Processor<string, never>,
    rekeyed(clean, (e) => e.productId),
  );
  await run(
    'users',
    () => new UserProcessor() as Processor<string, never>,
    rekeyed(clean, (e) => e.userId),
  );
  if (round > 0) continue;
  const pairs = steps.reduce((sum, { value }) => sum + (value as { pairs: unknown[] }).pairs.length, 0);
  console.log(
    `${clean.length} clean, ${steps.length} steps with ${pairs} pairs, ${((2 * pairs) / input.length).toFixed(1)} pair updates an event`,
  );
  for (const [name, serde, records] of [
    ['interaction', interactionBinarySerde, clean],
    ['pair step', pairStepSerde, steps],
  ] as const) {
    const startMs = cpuMs();
    let bytes = 0;
    for (const { value } of records) bytes += serde.serialize(value).length;
    const us = ((cpuMs() - startMs) * 1000) / records.length;
    console.log(`serialize ${name}: ${us.toFixed(2)} us, ${(bytes / records.length).toFixed(0)} bytes`);
  }
}

console.log('\n| processor | work us/event | stage us/event | writes/event | bytes/event |\n|---|---|---|---|---|');
let total = 0;
for (const [name, { workMs, stageMs, changes, bytes }] of best) {
  const us = (ms: number) => ((ms * 1000) / input.length).toFixed(2);
  total += workMs + stageMs;
  const per = (count: number, digits: number) => (count / input.length).toFixed(digits);
  console.log(`| ${name} | ${us(workMs)} | ${us(stageMs)} | ${per(changes, 2)} | ${per(bytes, 0)} |`);
}
console.log(
  `\nall: ${((total * 1000) / input.length).toFixed(2)} us/event, ${Math.round((input.length * 1000) / total)} events/s (${storeNames.pairs} and all other stores kept)`,
);

/** CPU time of the process, all threads: on a machine that others use as well, wall time says little. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
