import { expect, it } from 'vitest';
import { eventually, uniqueName } from '../../log/conformance/support.ts';
import { openKafkaLog } from '../../log/index.ts';
import { Instance, partitions } from '../../topology/distributed/word-counts.testing.ts';
import { describeWithKafka, startedBroker } from './real-kafka.ts';

/** What instances know of each other, told through the group's coordinator. */
describeWithKafka('instances on a real broker', () => {
  const broker = startedBroker();
  const open = () => openKafkaLog({ brokers: [broker().address], heartbeatIntervalMs: 100, sessionTimeoutMs: 6000 });

  it('know who runs which task, also when one is lost', async () => {
    const applicationId = uniqueName('words');
    await using log = await open();
    await log.createTopics(['lines', 'counts'].map((name) => ({ name, partitions })));
    const lost = await open();
    await using two = await open();
    await using three = await open();
    const started: Instance[] = [];
    for (const [at, own] of [lost, two, three].entries()) {
      started.push(await Instance.start(own, applicationId, { advertisedUrl: `http://127.0.0.1:800${at}` }));
    }
    const [first, second, third] = started as [Instance, Instance, Instance];
    expect(await eventually(() => agree(started) && reached(first).length === 3)).toBe(true);
    for (const { runtime } of started) {
      const mine = runtime.owners().filter(({ active }) => active!.isLocal);
      expect(mine.map(({ taskId }) => taskId).toSorted()).toEqual(runtime.tasks.assigned);
    }
    // Its connections are cut: the group hears of it by its silence only.
    await lost[Symbol.asyncDispose]();
    expect(await eventually(() => agree([second, third]) && reached(second).length === 2)).toBe(true);
    await first.runtime.abandon();
    await second[Symbol.asyncDispose]();
    await third[Symbol.asyncDispose]();
  });
});

/** All know an owner of every task, and the same one. */
function agree(instances: readonly Instance[]): boolean {
  const [first, ...others] = instances.map(({ runtime }) => runtime.owners().map(({ active }) => active?.url));
  return !first!.includes(undefined) && others.every((other) => other.join() === first!.join());
}

function reached({ runtime }: Instance): string[] {
  return [...new Set(runtime.owners().map(({ active }) => active!.url!))];
}
