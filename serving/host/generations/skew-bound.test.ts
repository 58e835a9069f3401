import { expect, test } from 'vitest';
import { openEmbeddedLog } from '../../../log/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../../state/index.ts';
import { withinSkew } from './skew-bound.ts';

test('a partition is read no further ahead of the last one than the bound says', async () => {
  const engine = createMemoryEngine();
  await using log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
  await log.createTopics([{ name: 'events', partitions: 3 }]);
  const of = [0, 1, 2].map((partition) => ({ topic: 'events', partition }));
  // An event each hour, in each partition from another day on.
  for (const [partition, firstMs] of [0, 2 * day, 10 * day].entries()) {
    const records = Array.from({ length: 240 }, (_, n) => ({ key: null, value: null, timestamp: firstMs + n * hour }));
    await log.produce(of[partition]!, records);
  }
  const bound = { log, group: 'replay', skewMs: 3 * day };
  // From the beginning: three days of the first, one of the second, none of the third.
  expect(await withinSkew(bound, of, [240, 240, 240])).toEqual([72, 24, 0]);
  expect(await withinSkew(bound, of, [50, 240, 240])).toEqual([50, 24, 0]);

  const commit = async (...offsets: number[]): Promise<void> => {
    const transaction = (await log.openProducer('test')).begin();
    transaction.sendOffsets(
      'replay',
      offsets.map((offset, partition) => ({ topic: 'events', partition, offset })),
    );
    await transaction.commit();
  };
  await commit(72, 24, 0);
  expect(await withinSkew(bound, of, [240, 240, 240])).toEqual([144, 96, 0]);
  // The first has come to its end, and holds nobody back: the second is the last one then.
  await commit(240, 96, 0);
  expect(await withinSkew(bound, of, [240, 240, 240])).toEqual([240, 168, 0]);
  await commit(240, 240, 0);
  expect(await withinSkew(bound, of, [240, 240, 240])).toEqual([240, 240, 72]);
  await commit(240, 240, 240);
  expect(await withinSkew(bound, of, [240, 240, 240])).toEqual([240, 240, 240]);
});

const hour = 3_600_000;
const day = 24 * hour;
