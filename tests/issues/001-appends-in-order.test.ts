import { expect, test } from 'vitest';
import { shopTopics } from '../../processors/index.ts';
import { temporaryFolders } from '../../state/conformance/temporary-folder.ts';
import { Host } from '../../serving/host/index.ts';
import { packRecords, unpackRecords } from '../../serving/host/packed-records.ts';

/**
 * Appends that are asked for one behind the other lie in the log in that order, also when nobody waits in between. The
 * host thread once looked at the free space of the disk first, without waiting for the look before: batches of a file
 * overtook each other, and sessions that two batches shared were paired in another order.
 */
const folders = temporaryFolders();

test('appends that nobody waits for stay in the order in which they were asked for', async () => {
  await using host = await Host.open({ dataDir: folders(), runs: false });
  host.onPublication(() => undefined);
  const topic = shopTopics.deadLetter;
  const sent: number[] = [];
  const appends: Promise<unknown>[] = [];
  for (let round = 0; round < 12; round += 1) {
    for (let i = 0; i < 50; i += 1) {
      const number = sent.length;
      sent.push(number);
      const record = { partition: 0, key: null, value: Buffer.from(String(number)), timestamp: 0 };
      const records = packRecords([record]);
      appends.push(host.request({ kind: 'produce', topic, records }, [records]));
    }
    await new Promise((resolve) => setTimeout(resolve, 110));
  }
  await Promise.all(appends);
  const found: number[] = [];
  for (let offset = 0; found.length < sent.length;) {
    const page = await host.request({ kind: 'read', topic, partition: 0, offset, maxRecords: 1000 });
    for (const { value } of unpackRecords(page.records).get(0) ?? [])
      found.push(Number(Buffer.from(value!).toString()));
    offset = page.nextOffset;
  }
  expect(found).toEqual(sent);
});
