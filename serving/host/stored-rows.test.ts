import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry, type Interaction } from '../../schemas/index.ts';
import { eventRecord } from '../../sources/index.ts';
import { hostTarget } from './host-target.ts';
import { Host } from './host.ts';
import { recordedEvents } from './recorded-events.ts';
import { StoredRows } from './stored-rows.ts';

let dataDir: string;
let host: Host;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-'));
  host = await Host.open({ dataDir, partitions: 3 });
  host.onPublication(() => undefined);
}, 60_000);

afterEach(async () => {
  await host.close();
  await rm(dataDir, { recursive: true });
}, 60_000);

/** Events of products `p0`, `p1` …, each bought by a visitor of its own. */
async function buy(products: { readonly from: number; readonly to: number }): Promise<void> {
  const serde = await interactionSerde(await openEmbeddedRegistry(dataDir), shopTopics.interactions);
  const events: Interaction[] = [];
  for (let at = products.from; at < products.to; at++) {
    events.push({
      ...{ eventId: `e${at}`, userId: `u${at}`, sessionId: null, productId: `p${at}`, type: 'purchase', quantity: 2 },
      ...{ price: 10_000, currency: 'GBP', timestamp: 1_600_000_000_000 + at, title: `P ${at}`, service: at === 7 },
    });
  }
  await hostTarget(host, 3).appendEvents(events.map((event) => eventRecord(event, serde, 3)));
  await host.request<'caughtUp'>({ kind: 'caughtUp' });
}

async function gather<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

test('every row of every partition is read once, over as many pages as it takes', async () => {
  await buy({ from: 0, to: 3500 });
  const rows = await gather(new StoredRows(host).of('product-stats'));
  expect(new Set(rows.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2]));
  expect(rows.map(({ key }) => key).toSorted()).toEqual(Array.from({ length: 3500 }, (_, at) => `p${at}`).toSorted());
  expect(rows.every(({ value }) => value.purchases === 1 && value.revenue === 20_000)).toBe(true);
});

test('a commit while rows are read is an error that names both offsets, not a mixture of two states', async () => {
  await buy({ from: 0, to: 10 });
  const rows = new StoredRows(host);
  expect(await gather(rows.of('product-stats'))).toHaveLength(10);
  await buy({ from: 10, to: 40 });
  await expect(gather(rows.of('user-profiles'))).rejects.toMatchObject({
    code: 'TASK_STOPPED',
    message: expect.stringMatching(
      /stands still at offset \d+ of 'interactions' \d, found \d+ in 'user-profiles'/,
    ) as string,
  });
});

test('the events that a state follows from are those of the log below its offsets, whatever came later', async () => {
  await buy({ from: 0, to: 20 });
  const upTo = await new StoredRows(host).asOf();
  await buy({ from: 20, to: 30 });
  const registry = await openEmbeddedRegistry(dataDir);
  const events = await gather(recordedEvents(host, { registry, upTo }));
  const ids = events.map(({ value }) => (value as Interaction).eventId);
  expect(ids.toSorted()).toEqual(Array.from({ length: 20 }, (_, at) => `e${at}`).toSorted());
});
