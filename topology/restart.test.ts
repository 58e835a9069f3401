import { expect, test } from 'vitest';
import { jsonSerde, stringSerde, type Serde } from '../schemas/index.ts';
import { createMemoryEngine } from '../state/index.ts';
import {
  StreamsBuilder,
  TimeWindows,
  TopologyTestDriver,
  type Processor,
  type ProcessorContext,
  type TimestampedKeyValueStore,
} from './index.ts';

const numbers: Serde<number> = jsonSerde<number>();

function counting(valueSerde: Serde<unknown> = numbers) {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream<string, string>('in')
    .groupByKey()
    .count({ name: 'count', store: { name: 'counts', valueSerde: valueSerde as Serde<number> } });
  return builder.build();
}

test('state of another topology is refused with what changed', async () => {
  const engine = createMemoryEngine();
  const first = await TopologyTestDriver.create(counting(), { engine });
  await first.close();
  const other: Serde<unknown> = { ...jsonSerde(), name: 'other' };
  await expect(TopologyTestDriver.create(counting(other), { engine })).rejects.toMatchObject({
    code: 'TOPOLOGY_INCOMPATIBLE',
    message: expect.stringContaining("store 'counts': value serde was 'json', is 'other'") as string,
  });
});

test('another application id keeps its own state in the same folder', async () => {
  const engine = createMemoryEngine();
  const first = await TopologyTestDriver.create(counting(), { engine, applicationId: 'one' });
  await first.createInputTopic('in', stringSerde, stringSerde).pipeInput('a', 'x');
  await first.close();
  const other: Serde<unknown> = { ...jsonSerde(), name: 'other' };
  const second = await TopologyTestDriver.create(counting(other), { engine, applicationId: 'two' });
  await second.createInputTopic('in', stringSerde, stringSerde).pipeInput('a', 'x');
  const counts = second.getStateStore<TimestampedKeyValueStore<string, number>>('counts');
  expect((await counts.get('a'))?.value, 'both records of the topic, counted anew').toBe(2);
  await second.close();
});

test('an operator’s clock survives a restart: what was late stays late', async () => {
  const engine = createMemoryEngine();
  const windows = () => {
    const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
    builder
      .stream<string, string>('in')
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeAndGrace({ sizeMs: 10, graceMs: 0 }))
      .count({ name: 'count', store: { name: 'windows' } });
    return builder.build();
  };
  const first = await TopologyTestDriver.create(windows(), { engine });
  await first.createInputTopic('in', stringSerde, stringSerde).pipeInput('a', 'x', 100);
  await first.close();
  const second = await TopologyTestDriver.create(windows(), { engine });
  await second.createInputTopic('in', stringSerde, stringSerde).pipeInput('a', 'x', 5);
  expect(second.metrics()['late-records{node="count"}']).toBe(1);
  await second.close();
});

test('a punctuation schedule survives a restart', async () => {
  const engine = createMemoryEngine();
  const calls: number[] = [];
  const ticking = () => {
    const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
    const processor: Processor<string, string> = {
      init(context: ProcessorContext) {
        context.schedule(10, 'streamTime', (ms) => void calls.push(ms));
      },
      process() {},
    };
    builder.stream<string, string>('in').process({ get: () => processor }, { name: 'ticking' });
    return builder.build();
  };
  const first = await TopologyTestDriver.create(ticking(), { engine });
  await first.createInputTopic('in', stringSerde, stringSerde).pipeInput('a', 'x', 42);
  await first.close();
  const second = await TopologyTestDriver.create(ticking(), { engine });
  const input = second.createInputTopic('in', stringSerde, stringSerde);
  await input.pipeInput('a', 'x', 49);
  await input.pipeInput('a', 'x', 50);
  expect(calls).toEqual([42, 50]);
  await second.close();
});
