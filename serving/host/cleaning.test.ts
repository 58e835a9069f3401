import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { shopTopics } from '../../processors/index.ts';
import { Host } from './host.ts';
import { packRecords, unpackRecords } from './packed-records.ts';

vi.setConfig({ testTimeout: 60_000 });

const dataDir = mkdtempSync(join(tmpdir(), 'millrace-cleaning-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

test('the host cleans its log by itself: a compacted topic comes down to the last value of a key', async () => {
  await using host = await Host.open({ dataDir, cleaningIntervalMs: 20 });
  const topic = shopTopics.products;
  // In one append: a pass between two of them would leave the last, as too little to compact for.
  const values = ['1', '2', '3'].map((value) => Buffer.from(value));
  const records = packRecords(values.map((value) => ({ partition: 0, key: Buffer.from('k'), value, timestamp: 0 })));
  await host.request<'produce'>({ kind: 'produce', topic, records }, [records]);
  const kept = async () => {
    const { records } = await host.request<'read'>({ kind: 'read', topic, partition: 0, offset: 0, maxRecords: 10 });
    return unpackRecords(records).get(0)!.length;
  };
  await expect.poll(kept, { timeout: 60_000 }).toBe(1);
});
