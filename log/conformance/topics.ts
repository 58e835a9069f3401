import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Cases } from './log-conformance.ts';
import { limits, newTopic, records, uniqueName } from './support.ts';

export const topicCases: Cases = (openLog) => {
  it('creates topics that are missing and leaves those that exist', async () => {
    await using log = await openLog();
    const [one, two] = [uniqueName('one'), uniqueName('two')];
    await log.createTopics([{ name: one, partitions: 2 }]);
    await log.produce({ topic: one, partition: 1 }, records('kept'));
    await log.createTopics([
      { name: one, partitions: 2 },
      { name: two, partitions: 3 },
    ]);
    const topics = new Map((await log.topics()).map((topic) => [topic.name, topic.partitions]));
    expect([topics.get(one), topics.get(two)]).toEqual([2, 3]);
    expect((await log.read({ topic: one, partition: 1 }, 0, limits)).records).toHaveLength(1);
  });

  it('knows a topic by an id that stays, and no two by one', async () => {
    await using log = await openLog();
    const [one, two] = [await newTopic(log), await newTopic(log)];
    const id = await log.topicId(one.topic);
    expect(id).not.toBe('');
    expect(await log.topicId(one.topic)).toBe(id);
    expect(await log.topicId(two.topic)).not.toBe(id);
    await expect(log.topicId(uniqueName('none'))).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
  });

  it('deletes topics, and says nothing of those that are gone', async () => {
    await using log = await openLog();
    const [one, two] = [await newTopic(log), await newTopic(log)];
    await log.produce({ topic: one.topic, partition: 0 }, records('a'));
    await log.deleteTopics([one.topic]);
    await log.deleteTopics([one.topic, uniqueName('none')]);
    // Brokers hear of it a moment later than the controller.
    while ((await log.topics()).some(({ name }) => name === one.topic)) await sleep(20);
    expect((await log.topics()).map(({ name }) => name)).toContain(two.topic);
    await expect(log.produce({ topic: one.topic, partition: 0 }, records('b'))).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
    });
  });

  it('names both partition counts when they differ', async () => {
    await using log = await openLog();
    const { topic } = await newTopic(log, 2);
    await expect(log.createTopics([{ name: topic, partitions: 3 }])).rejects.toMatchObject({
      code: 'TOPIC_MISMATCH',
      facts: { topic, wanted: 3, found: 2 },
    });
  });

  it('knows a topic or partition that does not exist', async () => {
    await using log = await openLog();
    const { topic } = await newTopic(log, 2);
    const beyond = { topic, partition: 2 };
    const unknown = { topic: uniqueName('unknown'), partition: 0 };
    for (const [partition, code] of [
      [beyond, 'PARTITION_NOT_FOUND'],
      [unknown, 'TOPIC_NOT_FOUND'],
    ] as const) {
      await expect(log.produce(partition, records('a'))).rejects.toMatchObject({ code });
      await expect(log.read(partition, 0, limits)).rejects.toMatchObject({ code });
      await expect(log.listOffsets(partition, 'latest')).rejects.toMatchObject({ code });
    }
  });
};
