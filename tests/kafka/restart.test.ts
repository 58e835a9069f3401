import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RestartInstance } from '../../bench/kafka/restart-instance.ts';
import { appendRows, rowKey, RowsDigest, rowsTopic, rowValue } from '../../bench/kafka/restart-rows.ts';
import { openKafkaLog } from '../../log/index.ts';
import { describeWithKafka, startedBroker } from './real-kafka.ts';

const partitions = 3;
const rows = 3000;

describeWithKafka('an instance that was killed', () => {
  const broker = startedBroker();

  it('serves again over its folder while its session has long to go', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-restart-'));
    try {
      await using log = await openKafkaLog({ brokers: [broker().address] });
      await log.createTopics([{ name: rowsTopic, partitions }]);
      await appendRows(log, partitions, { from: 0, to: rows, version: 0 });
      const settings = {
        broker: broker().address,
        applicationId: 'restart',
        topic: rowsTopic,
        folder: join(folder, 'data'),
        partitions,
        sessionTimeoutMs: 1_800_000,
      };
      const last = (version: number) => ({ key: rowKey(rows - 1), value: rowValue(rows - 1, version) });
      const first = new RestartInstance({ ...settings, last: last(0) });
      await first.serving();
      await first.caughtUp();
      await appendRows(log, partitions, { from: rows / 2, to: rows, version: 1 });
      await first[Symbol.asyncDispose]();

      await using second = new RestartInstance({ ...settings, last: last(1) });
      expect(await second.serving()).toMatchObject({ fullRestores: 0 });
      await second.caughtUp();
      const expected = new RowsDigest();
      for (let n = 0; n < rows; n++) expected.add(rowKey(n), rowValue(n, n < rows / 2 ? 0 : 1));
      expect(await second.rows()).toBe(String(expected));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
