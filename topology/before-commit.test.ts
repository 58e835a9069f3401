import { expect, test } from 'vitest';
import { jsonSerde, stringSerde, type Serde } from '../schemas/index.ts';
import { createMemoryEngine } from '../state/index.ts';
import {
  Stores,
  StreamsBuilder,
  TopologyTestDriver,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type Record,
} from './index.ts';

const numbers: Serde<number> = jsonSerde<number>();

/** Counts records by key, all of a commit at once; every call forwards how many keys it counted. */
class GatheringCounter implements Processor<string, string, string, number> {
  readonly #name: string;
  readonly #calls: string[];
  #context!: ProcessorContext<string, number>;
  #counts!: KeyValueStore<string, number>;
  #gathered: string[] = [];

  constructor(name: string, calls: string[]) {
    this.#name = name;
    this.#calls = calls;
  }

  init(context: ProcessorContext<string, number>): void {
    this.#context = context;
    this.#counts = context.getStateStore(`${this.#name}-counts`);
  }

  load(): void {}

  process({ key }: Record<string, string>): void {
    this.#gathered.push(key);
  }

  async beforeCommit(): Promise<void> {
    const keys = this.#gathered;
    this.#gathered = [];
    this.#calls.push(`${this.#name} ${keys.length}`);
    await this.#counts.load(keys);
    for (const key of keys) this.#counts.put(key, (this.#counts.getLoaded(key) ?? 0) + 1);
    for (const key of new Set(keys)) {
      this.#context.forward({ key, value: this.#counts.getLoaded(key)!, timestamp: 7, headers: [] });
    }
    expect(this.#context.recordMetadata()).toBeUndefined();
  }
}

/** lines ─> first ─(repartition)─> second ─> out */
function gatherTwice(calls: string[]) {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  for (const name of ['first', 'second']) {
    builder.addStateStore(
      Stores.keyValue<string, number>(`${name}-counts`, { keySerde: stringSerde, valueSerde: numbers }),
    );
  }
  const gather = (name: string) => ({ get: () => new GatheringCounter(name, calls) });
  builder
    .stream<string, string>('lines')
    .process<string, number>(gather('first'), { name: 'first', stores: ['first-counts'] })
    .mapValues((count) => `${count}`, { name: 'texts' })
    .repartition({ name: 'again', keySerde: stringSerde, valueSerde: stringSerde, partitions: 1 })
    .process<string, number>(gather('second'), { name: 'second', stores: ['second-counts'] })
    .to('out', { keySerde: stringSerde, valueSerde: numbers });
  return builder.build();
}

test('beforeCommit is called once a commit, after the last record, and what it forwards belongs to the commit', async () => {
  const calls: string[] = [];
  const driver = await TopologyTestDriver.create(gatherTwice(calls), { maxBatchRecords: 2 });
  const lines = driver.createInputTopic('lines', stringSerde, stringSerde);
  const out = driver.createOutputTopic('out', stringSerde, numbers);
  for (const key of ['a', 'b', 'a', 'a', 'c']) lines.enqueue(key, '');
  await driver.run();
  expect(calls).toEqual(['first 5', 'second 3']);
  expect(await out.readRecords()).toMatchObject([
    { key: 'a', value: 1, timestamp: 7 },
    { key: 'b', value: 1 },
    { key: 'c', value: 1 },
  ]);

  await driver.commit();
  expect(calls, 'nothing was processed since').toHaveLength(2);
  await lines.pipeInput('a', '');
  expect(calls.slice(2)).toEqual(['first 1', 'second 1']);
  expect(await out.readKeyValues()).toEqual([['a', 2]]);
  await driver.close();
});

test('what was gathered and not committed is redone after a crash', async () => {
  const engine = createMemoryEngine();
  const lost: string[] = [];
  const first = await TopologyTestDriver.create(gatherTwice(lost), { engine });
  const lines = first.createInputTopic('lines', stringSerde, stringSerde);
  await lines.pipeInput('a', '');
  for (const key of ['a', 'b']) lines.enqueue(key, '');
  await first.run({ commit: false });
  await first.crash();
  expect(lost).toEqual(['first 1', 'second 1']);

  const calls: string[] = [];
  const second = await TopologyTestDriver.create(gatherTwice(calls), { engine });
  await second.run();
  expect(calls).toEqual(['first 2', 'second 2']);
  const counts = second.getStateStore<KeyValueStore<string, number>>('first-counts');
  expect([await counts.get('a'), await counts.get('b')]).toEqual([2, 1]);
  await second.close();
});

test('an error of beforeCommit stops the task and commits nothing', async () => {
  const engine = createMemoryEngine();
  const topology = () => {
    const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
    const failing: Processor<string, string> = {
      process() {},
      beforeCommit() {
        throw new Error('The disk of the moon is full');
      },
    };
    builder.stream<string, string>('lines').process({ get: () => failing }, { name: 'failing' });
    return builder.build();
  };
  const driver = await TopologyTestDriver.create(topology(), { engine, processingHandler: () => 'continue' });
  await expect(driver.createInputTopic('lines', stringSerde, stringSerde).pipeInput('a', '')).rejects.toThrow('moon');
  expect(driver.metrics()['commits'] ?? 0).toBe(0);
  await driver.crash();
});
