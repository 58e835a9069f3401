import { expect, it } from 'vitest';
import { eventually, uniqueName } from '../../log/conformance/support.ts';
import { openKafkaLog } from '../../log/index.ts';
import {
  allSent,
  expectedUpdates,
  Instance,
  partitions,
  produceLines,
} from '../../topology/distributed/word-counts.testing.ts';
import { describeWithKafka, startedBroker } from './real-kafka.ts';

describeWithKafka('standbys on a real broker', () => {
  const broker = startedBroker();
  const open = () => openKafkaLog({ brokers: [broker().address], heartbeatIntervalMs: 200, sessionTimeoutMs: 6000 });

  it('take the tasks of a lost instance over, and restore the tail only', { timeout: 180_000 }, async () => {
    const applicationId = uniqueName('words');
    await using log = await open();
    await log.createTopics(['lines', 'counts'].map((name) => ({ name, partitions })));
    const one = await open();
    await using two = await open();
    const config = { commitIntervalMs: 50, pollIntervalMs: 10, reopenDelayMs: 300, standbyReplicas: 1 };
    const first = await Instance.start(one, applicationId, { config });
    await using second = await Instance.start(two, applicationId, { config });
    await produceLines(log, 0, 5000);
    await allSent(log, 5000, 90_000);
    const lags = () => second.runtime.standbyStores('counts').map(({ lagRecords }) => lagRecords);
    // A marker of a transaction may be behind the last record.
    expect(await eventually(() => lags().length === 2 && lags().every((lag) => lag !== undefined && lag <= 1))).toBe(
      true,
    );
    second.restored.length = 0;
    // Its connections are cut; the group hears of it by its silence only.
    await one[Symbol.asyncDispose]();
    await produceLines(log, 5000, 5100);
    expect(await allSent(log, 5100, 90_000)).toEqual(expectedUpdates(5100));
    expect(second.runtime.tasks.running).toHaveLength(8);
    // What the lost one had committed of the last lines may be among it.
    const restored = second.restored.filter((each) => each.includes('-counts-changelog/'));
    const records = restored.map((each) => Number(each.split(' ').at(-1)));
    expect(restored.filter((each) => each.includes('full'))).toEqual([]);
    expect(records.reduce((sum, each) => sum + each, 0)).toBeLessThan(200);
    await first.runtime.abandon();
  });
});
