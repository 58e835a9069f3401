import { expect, test } from 'vitest';
import { int64Serde, stringSerde } from '../../schemas/index.ts';
import { createMemoryEngine, type Engine } from '../../state/index.ts';
import {
  addStore,
  Stores,
  StreamsBuilder,
  TopologyTestDriver,
  type KeyValueStore,
  type PartitionRow,
  type Processor,
  type StoredTables,
} from '../index.ts';

const lengths = 'lengths';
const doubles = 'doubles';

/** Keeps the length of each value, and, where the topology has that store, twice the length. */
function keeping(...names: readonly string[]) {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  for (const name of names) {
    builder.addStateStore(Stores.keyValue<string, number>(name, { keySerde: stringSerde, valueSerde: int64Serde }));
  }
  const get = (): Processor<string, string, string, string> => {
    const stores: KeyValueStore<string, number>[] = [];
    return {
      init: (context) => {
        for (const name of names) stores.push(context.getStateStore(name));
      },
      process: ({ key, value }) => {
        for (const [at, store] of stores.entries()) store.put(key, value.length * (at + 1));
      },
    };
  };
  builder.stream<string, string>('in').process({ get }, { name: 'keep', stores: [...names] });
  return builder.build();
}

async function run(engine: Engine, names: readonly string[], records: readonly (readonly [string, string])[]) {
  const driver = await TopologyTestDriver.create(keeping(...names), { engine, applicationId: 'app' });
  const input = driver.createInputTopic('in', stringSerde, stringSerde);
  for (const [key, value] of records) await input.pipeInput(key, value);
  const rows: Record<string, Record<string, number>> = {};
  for (const name of names) {
    rows[name] = {};
    const store = driver.getStateStore<KeyValueStore<string, number>>(name);
    for await (const [key, value] of store.range()) rows[name][key] = value;
  }
  await driver.close();
  return rows;
}

async function* twice(stored: StoredTables): AsyncGenerator<PartitionRow> {
  for await (const page of stored.pages(lengths)) {
    for (const { partition, key, value } of page) {
      yield { partition, key, value: int64Serde.serialize(2 * int64Serde.deserialize(value)) };
    }
  }
}

const addDoubles = (engine: Engine, rows: typeof twice = twice) =>
  addStore(engine, {
    applicationId: 'app',
    store: { name: doubles, kind: 'key-value', keySerde: stringSerde.name, valueSerde: int64Serde.name },
    beside: lengths,
    rows,
  });

test('a topology with one store more fits, and has its rows, also when that is done twice', async () => {
  for (const times of [1, 2]) {
    const engine = createMemoryEngine();
    await run(
      engine,
      [lengths],
      [
        ['a', 'x'],
        ['b', 'xyz'],
      ],
    );
    await expect(run(engine, [lengths, doubles], [])).rejects.toMatchObject({ code: 'TOPOLOGY_INCOMPATIBLE' });
    for (let time = 0; time < times; time += 1) await addDoubles(engine);
    expect(await run(engine, [lengths, doubles], [['c', 'xy']])).toEqual({
      [lengths]: { a: 1, b: 3, c: 2 },
      [doubles]: { a: 2, b: 6, c: 4 },
    });
  }
});

test('what an interrupted run has written is gone when the next one has run', async () => {
  const engine = createMemoryEngine();
  await run(engine, [lengths], [['a', 'x']]);
  const large = new Uint8Array(5 * 1024 * 1024);
  const torn = addDoubles(engine, async function* (stored) {
    yield { partition: 0, key: stringSerde.serialize('gone'), value: large };
    yield* twice(stored);
    throw new Error('killed');
  });
  await expect(torn).rejects.toThrow('killed');
  await addDoubles(engine);
  expect(await run(engine, [lengths, doubles], [])).toEqual({ [lengths]: { a: 1 }, [doubles]: { a: 2 } });
});

test('an application that has not run gets nothing, and makes the store itself', async () => {
  const engine = createMemoryEngine();
  await addDoubles(engine);
  expect(await run(engine, [lengths, doubles], [['a', 'x']])).toEqual({ [lengths]: { a: 1 }, [doubles]: { a: 2 } });
});
