import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry, type Interaction, type Serde } from '../../schemas/index.ts';
import { eventRecord } from '../../sources/index.ts';
import { Host } from './host.ts';
import { packRecords, unpackRecords } from './packed-records.ts';

/** Records that a producer other than ours might leave in `interactions`: none may stop the shop, none may be lost. */
let folder: string;
let host: Host;
let serde: Serde<Interaction>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-bad-records-'));
  host = await Host.open({ dataDir: folder });
  serde = await interactionSerde(await openEmbeddedRegistry(folder), shopTopics.interactions);
});

afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});

const event: Interaction = {
  eventId: 'good',
  userId: 'u1',
  sessionId: 's1',
  productId: 'p1',
  type: 'purchase',
  quantity: 2,
  price: 10_000,
  currency: null,
  timestamp: 1_700_000_000_000,
  title: null,
  service: false,
};

test('torn, foreign and invalid records become dead letters, and the event behind them counts', async () => {
  const good = eventRecord(event, serde, 1);
  const bad = [
    { ...good, value: Buffer.from('not Avro at all') },
    { ...good, value: good.value.subarray(0, 9) },
    { ...good, key: Buffer.from([0xff, 0xfe]) },
    eventRecord({ ...event, eventId: 'no-product', productId: '' }, serde, 1),
    eventRecord({ ...event, eventId: 'negative', quantity: -1 }, serde, 1),
  ];
  const records = packRecords([...bad, good]);
  await host.request({ kind: 'produce', topic: shopTopics.interactions, records }, [records]);
  await host.request({ kind: 'caughtUp' });

  const letters = await host.request({
    kind: 'read',
    topic: shopTopics.deadLetter,
    partition: 0,
    offset: 0,
    maxRecords: 100,
  });
  const found = unpackRecords(letters.records).get(0)!;
  expect(found.map(({ key, value }) => [key && Buffer.from(key), value && Buffer.from(value)])).toEqual(
    bad.map(({ key, value }) => [Buffer.from(key), Buffer.from(value)]),
  );
  for (const { headers } of found) {
    const names = headers!.map(({ key }) => key);
    expect(names).toContain('__streams.errors.message');
    expect(names).toContain('__streams.errors.offset');
  }
  expect(await host.request({ kind: 'get', store: 'product-stats', key: 'p1' })).toMatchObject({
    found: true,
    value: { purchases: 1, quantity: 2, revenue: 20_000 },
  });
});
