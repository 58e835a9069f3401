import { expect, test } from 'vitest';
import { jsonSerde, stringSerde } from '../schemas/index.ts';
import { createMemoryEngine } from '../state/index.ts';
import { StreamsBuilder, TopologyTestDriver, type KeyValueStore } from './index.ts';

function wordCount() {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream<string, string>('lines')
    .flatMapValues((line) => line.split(' '))
    .groupBy((_, word) => word, { keySerde: stringSerde, valueSerde: stringSerde })
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('counts', { keySerde: stringSerde, valueSerde: jsonSerde<number>() });
  return builder.build();
}

test('word count goes through its repartition topic and comes out counted', async () => {
  const driver = await TopologyTestDriver.create(wordCount());
  const lines = driver.createInputTopic('lines', stringSerde, stringSerde);
  const counts = driver.createOutputTopic('counts', stringSerde, jsonSerde<number>());
  await lines.pipeInput('k', 'a b a');
  expect(await counts.readKeyValues()).toEqual([
    ['a', 1],
    ['b', 1],
    ['a', 2],
  ]);
  await driver.close();
});

test('after a crash the count goes on from the last commit', async () => {
  const engine = createMemoryEngine();
  const first = await TopologyTestDriver.create(wordCount(), { engine });
  const lines = first.createInputTopic('lines', stringSerde, stringSerde);
  await lines.pipeInput('k', 'a');
  lines.enqueue('k', 'a');
  await first.run({ maxBatches: 1, commit: false });
  await first.crash();

  const second = await TopologyTestDriver.create(wordCount(), { engine });
  await second.run();
  const store = second.getStateStore<KeyValueStore<string, { value: number }>>('counts');
  expect((await store.get('a'))?.value).toBe(2);
  await second.close();
});
