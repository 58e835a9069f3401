/**
 * Cleansing and product statistics of the shop on @kafkats/flow, for bench/flow.ts; obeys the orders of bench/kafka/peer.ts.
 *
 *     interactions ─> cleanse ─> interactions.clean ─> by-product ─> product-stats
 *
 * `through` would go on in the same process without reading the topic, so topics between the steps are written and read in two.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { KafkaClient, string } from '@kafkats/client';
import { flow, inMemory } from '@kafkats/flow';
import { eventsSeen } from './events-seen.mjs';
import { identityOf, interactionCodec, isValid } from './interaction.mjs';
import { productStats } from './product-stats.mjs';

const [brokers, registryUrl, applicationId, partitionsText, commitIntervalText] = process.argv.slice(2);
const partitions = Number(partitionsText);
const byProduct = `${applicationId}-by-product-repartition`;
const client = new KafkaClient({ brokers: brokers.split(','), clientId: applicationId, logLevel: 'error' });
await client.connect();
await client.createTopics([{ name: byProduct, numPartitions: partitions, replicationFactor: 1 }]);

const settings = {
  processingGuarantee: 'exactly_once',
  commitIntervalMs: Number(commitIntervalText),
  // More of them share a connection, on which the leader's Metadata waits behind the others' JoinGroups, which wait for the leader.
  numStreamThreads: 1,
  // It waits for each record to be acknowledged: to wait for more to send gains nothing.
  producer: { lingerMs: 0 },
  consumer: { autoOffsetReset: 'earliest', maxRecords: 5000 },
};
const stores = new Map();
const memory = inMemory();
const app = flow({
  ...settings,
  applicationId,
  client,
  stateStoreProvider: {
    name: memory.name,
    createKeyValueStore: (name, options) => {
      const store = memory.createKeyValueStore(name, options);
      stores.set(name, store);
      return store;
    },
    createWindowStore: memory.createWindowStore.bind(memory),
    createSessionStore: memory.createSessionStore.bind(memory),
    close: () => memory.close(),
  },
});

const [raw, clean] = await Promise.all(
  ['interactions', 'interactions.clean'].map(async (name) => ({
    name,
    key: string(),
    value: await interactionCodec(registryUrl, 'interactions'),
  })),
);
app
  .stream(raw)
  .filter((_key, event) => isValid(event))
  .groupBy((_key, event) => identityOf(event), { key: string() })
  .aggregate(eventsSeen.none, eventsSeen.add, { storeName: 'events-seen', value: eventsSeen.codec })
  .toStream()
  .filter((_key, { accepted }) => accepted !== null)
  .mapValues(({ accepted }) => accepted)
  .selectKey(({ userId, sessionId }) => (sessionId === null ? `u:${userId}` : `s:${sessionId}`))
  .to(clean.name, clean);
app
  .stream(clean)
  .selectKey(({ productId }) => productId)
  .to(byProduct, clean);
app
  .stream({ ...clean, name: byProduct })
  .groupByKey()
  .aggregate(productStats.none, productStats.add, { storeName: 'product-stats', value: productStats.codec });

console.log(`ready Node ${process.version}, @kafkats/flow 0.12.0, stores in memory, ${JSON.stringify(settings)}`);
const failing = setInterval(() => {
  if (app.state() !== 'ERROR') return;
  console.error(app.getError());
  process.exit(1);
}, 100);
for await (const order of createInterface({ input: process.stdin })) {
  if (order === 'start') {
    await app.start();
    console.log('started');
  } else if (order.startsWith('dump ')) {
    await dump(order.slice('dump '.length));
    console.log('dumped');
  } else if (order === 'stop') break;
}
clearInterval(failing);
await app.close();
await client.disconnect();
process.exit(0);

/** As bench/kafka/state-dump.ts reads it. */
async function dump(file) {
  const output = createWriteStream(file);
  for await (const [productId, stats] of stores.get('product-stats').all()) {
    output.write(`${JSON.stringify({ store: 'product-stats', productId, ...stats })}\n`);
  }
  output.end();
  await once(output, 'close');
}
