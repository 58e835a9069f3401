// Counts words. Run it where `millrace` is installed: `node word-count.mjs`.
import { int64Serde, stringSerde } from 'millrace/schemas';
import { StreamsBuilder, TopologyTestDriver } from 'millrace/topology';

const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
builder
  .stream('lines')
  .flatMapValues((line) => line.toLowerCase().match(/\w+/g) ?? [])
  .groupBy((_, word) => word, { name: 'by-word' })
  .count({ name: 'count', store: 'counts' })
  .toStream()
  .to('word-counts', { valueSerde: int64Serde });

// The driver runs a topology in memory: no broker, no waiting, and the clock moves when you say so.
const driver = await TopologyTestDriver.create(builder.build());
const lines = driver.createInputTopic('lines', stringSerde, stringSerde);
await lines.pipeInput(null, 'the mill goes round and round the mill');
const counts = driver.createOutputTopic('word-counts', stringSerde, int64Serde);
for (const { key, value } of await counts.readRecords()) console.log(`${key}: ${value}`);
await driver.close();
