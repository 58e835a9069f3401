import { expect, test } from 'vitest';
import { jsonSerde, stringSerde } from '../schemas/index.ts';
import { StreamsBuilder, TopologyTestDriver, type FailureContext } from './index.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

function parseNumbers() {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream<string, string>('in', { name: 'in' })
    .mapValues(
      (value) => {
        if (value === 'boom') throw new RangeError('no booms here');
        return value.toUpperCase();
      },
      { name: 'upper' },
    )
    .to('out', { name: 'out', keySerde: stringSerde, valueSerde: stringSerde });
  return builder.build();
}

const notUtf8 = Uint8Array.of(0xff, 0xfe);

test('bytes the serde cannot read stop the runtime by default, and nothing is committed', async () => {
  const driver = await TopologyTestDriver.create(parseNumbers());
  const input = driver.createInputTopic('in', stringSerde, stringSerde);
  await expect(input.pipeBytes(null, notUtf8)).rejects.toMatchObject({ error: { code: 'DESERIALIZATION_FAILED' } });
  expect(driver.metrics()['commits'] ?? 0).toBe(0);
  await driver.crash();
});

test('a skipped record is counted, and the ones around it go on', async () => {
  const contexts: FailureContext[] = [];
  const driver = await TopologyTestDriver.create(parseNumbers(), {
    deserializationHandler: (context) => {
      contexts.push(context);
      return 'continue';
    },
    processingHandler: () => 'continue',
  });
  const input = driver.createInputTopic('in', stringSerde, stringSerde);
  const output = driver.createOutputTopic('out', stringSerde, stringSerde);
  await input.pipeInput('k', 'a');
  await input.pipeBytes(null, notUtf8);
  await input.pipeInput('k', 'boom');
  await input.pipeInput('k', 'b');
  expect(await output.readKeyValues()).toEqual([
    ['k', 'A'],
    ['k', 'B'],
  ]);
  expect(contexts).toEqual([{ taskId: '0_0', node: 'in', source: { topic: 'in', partition: 0, offset: 1 } }]);
  const skipped = Object.entries(driver.metrics()).filter(([name]) => name.startsWith('skipped-records'));
  expect(skipped.map(([, count]) => count)).toEqual([1, 1]);
  await driver.close();
});

test('a dead letter is the record as read, with the reason in Kafka Streams’ headers', async () => {
  const driver = await TopologyTestDriver.create(parseNumbers(), {
    deserializationHandler: () => 'dead-letter',
    processingHandler: () => 'dead-letter',
    deadLetterTopic: 'dead',
  });
  const input = driver.createInputTopic('in', stringSerde, stringSerde);
  await input.pipeBytes(Buffer.from('key'), notUtf8, 7);
  await input.pipeInput('k', 'boom', 8);

  const raw = { name: 'raw', serialize: (b: Uint8Array) => b, deserialize: (b: Uint8Array) => Uint8Array.from(b) };
  const [torn, thrown] = await driver.createOutputTopic('dead', raw, raw).readRecords();
  expect(torn).toMatchObject({ value: notUtf8, timestamp: 7 });
  const headers = Object.fromEntries(thrown!.headers.map(({ key, value }) => [key, text(value)]));
  expect(text(thrown!.value!)).toBe('boom');
  expect(headers).toMatchObject({
    '__streams.errors.exception': 'RangeError',
    '__streams.errors.message': 'no booms here',
    '__streams.errors.topic': 'in',
    '__streams.errors.partition': '0',
    '__streams.errors.offset': '1',
    'millrace.errors.code': 'PROCESSING_FAILED',
  });
  await driver.close();
});

test('a record the sink cannot serialize goes to the production handler', async () => {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  builder
    .stream<string, string>('in')
    .mapValues((value) => (value === 'bad' ? cyclic : { value }), { name: 'wrap' })
    .to('out', { name: 'out', keySerde: stringSerde, valueSerde: jsonSerde<object>() });
  const nodes: string[] = [];
  const driver = await TopologyTestDriver.create(builder.build(), {
    productionHandler: ({ node }, error) => {
      nodes.push(`${node} ${error.code}`);
      return 'continue';
    },
  });
  const input = driver.createInputTopic('in', stringSerde, stringSerde);
  await input.pipeInput('k', 'bad');
  await input.pipeInput('k', 'good');
  expect(nodes).toEqual(['out PRODUCTION_FAILED']);
  const output = driver.createOutputTopic('out', stringSerde, jsonSerde<object>());
  expect(await output.readKeyValues()).toEqual([['k', { value: 'good' }]]);
  await driver.close();
});

test('a dead letter without a topic for it stops the runtime and says so', async () => {
  const driver = await TopologyTestDriver.create(parseNumbers(), { processingHandler: () => 'dead-letter' });
  const input = driver.createInputTopic('in', stringSerde, stringSerde);
  await expect(input.pipeInput('k', 'boom')).rejects.toThrow('no dead-letter topic is set');
  await driver.crash();
});
