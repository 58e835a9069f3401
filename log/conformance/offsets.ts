import { expect, it } from 'vitest';
import type { Cases } from './log-conformance.ts';
import { limits, newTopic, readAll, record, records, valuesOf } from './support.ts';

export const offsetCases: Cases = (openLog) => {
  it('lists the first offset, the end, and the same for an empty partition', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    expect(await log.listOffsets(partition, 'earliest')).toBe(0);
    expect(await log.listOffsets(partition, 'latest')).toBe(0);
    expect(await log.listOffsets(partition, { timestamp: 0 })).toBe(0);
    await log.produce(partition, records('a', 'b', 'c'));
    expect(await log.listOffsets(partition, 'earliest')).toBe(0);
    expect(await log.listOffsets(partition, 'latest')).toBe(3);
  });

  it('finds the first offset at or after a time, though times go back and forth', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const times = [100, 300, 200, 300, 500, 400];
    for (const time of times.slice(0, 3)) await log.produce(partition, [record('k', 'v', time)]);
    await log.produce(
      partition,
      times.slice(3).map((time) => record('k', 'v', time)),
    );
    for (const [timestamp, offset] of [
      [0, 0],
      [100, 0],
      [101, 1],
      [300, 1],
      [301, 4],
      [500, 4],
      [501, 6],
    ] as const) {
      expect([timestamp, await log.listOffsets(partition, { timestamp })]).toEqual([timestamp, offset]);
    }
  });

  it('deletes records up to an offset, also in the middle of a batch', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    await log.produce(partition, records('a', 'b', 'c'));
    await log.produce(partition, records('d'));
    await log.deleteRecords(partition, 2);
    expect(await log.listOffsets(partition, 'earliest')).toBe(2);
    expect(await log.listOffsets(partition, { timestamp: 0 })).toBe(2);
    expect(valuesOf(await readAll(log, partition, 2))).toEqual(['c', 'd']);
    await expect(log.read(partition, 1, limits)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    await expect(log.deleteRecords(partition, 5)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
  });
};
