import { expect, it } from 'vitest';
import { uniqueName } from '../../log/conformance/support.ts';
import { openKafkaLog } from '../../log/index.ts';
import {
  allSent,
  expectedUpdates,
  Instance,
  partitions,
  produceLines,
  quick,
} from '../../topology/distributed/word-counts.testing.ts';
import { describeWithKafka, startedBroker } from './real-kafka.ts';

/** The runtime of topology/distributed on a real broker: the cases of its own tests that the embedded log cannot show. */
describeWithKafka('a topology on a real broker', () => {
  const broker = startedBroker();
  const open = () => openKafkaLog({ brokers: [broker().address], heartbeatIntervalMs: 200, sessionTimeoutMs: 6000 });

  it('counts every line once, while instances come, go, and are lost', { timeout: 180_000 }, async () => {
    const applicationId = uniqueName('words');
    // Where a group is there may be markers of transactions behind it, which nobody may delete for it.
    const config = { ...quick, repartitionPurgeIntervalMs: 50 };
    await using log = await open();
    await log.createTopics(['lines', 'counts'].map((name) => ({ name, partitions })));
    await produceLines(log, 0, 1000);
    const [one, two, three] = await Promise.all([open(), open(), open()]);
    const first = await Instance.start(one, applicationId, { config });
    await allSent(log, 1000, 60_000);
    await using second = await Instance.start(two, applicationId, { config });
    await produceLines(log, 1000, 2000);
    await using third = await Instance.start(three, applicationId, { config });
    await produceLines(log, 2000, 3000);
    await allSent(log, 3000, 60_000);
    // Its connections are cut; the group hears of it by its silence only.
    await one[Symbol.asyncDispose]();
    await produceLines(log, 3000, 4000);
    expect(await allSent(log, 4000, 90_000)).toEqual(expectedUpdates(4000));
    expect([second, third].map(({ runtime }) => runtime.failure)).toEqual([undefined, undefined]);
    await first.runtime.abandon();
  });
});
