import { expect, it } from 'vitest';
import type { TransactionalProducer } from '../log.ts';
import type { Cases } from './log-conformance.ts';
import { newTopic, readAll, readSome, records, uniqueName, valuesOf } from './support.ts';

export const transactionCases: Cases = (openLog, supports) => {
  it('shows a transaction when it has committed, on all partitions, with its offsets', async () => {
    let log = await openLog();
    const input = await newTopic(log);
    const { topic } = await newTopic(log, 2);
    const [left, right] = [
      { topic, partition: 0 },
      { topic, partition: 1 },
    ];
    const group = uniqueName('group');
    await log.produce(input, records('in'));
    const transaction = (await log.openProducer(uniqueName('tx'))).begin();
    transaction.send(left, records('a', 'b'));
    transaction.send(right, records('c'));
    transaction.send(left, records('d'));
    transaction.sendOffsets(group, [{ ...input, offset: 1 }]);
    expect(await readAll(log, left)).toEqual([]);
    expect(await log.committedOffsets(group, [input])).toEqual([undefined]);
    const ends = await transaction.commit();
    expect(ends.toSorted((a, b) => a.partition - b.partition)).toEqual([
      { ...left, offset: 3 },
      { ...right, offset: 1 },
    ]);
    expect(valuesOf(await readSome(log, left, { count: 3 }))).toEqual(['a', 'b', 'd']);
    expect(valuesOf(await readSome(log, right, { count: 1 }))).toEqual(['c']);
    log = await supports.reopen(log);
    expect(await log.committedOffsets(group, [input])).toEqual([1]);
    expect(valuesOf(await readAll(log, left))).toEqual(['a', 'b', 'd']);
    await log[Symbol.asyncDispose]();
  });

  it('shows nothing of an aborted transaction, and readers pass it', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const group = uniqueName('group');
    await log.produce(partition, records('before'));
    const transaction = (await log.openProducer(uniqueName('tx'))).begin();
    transaction.send(partition, records('aborted'));
    transaction.sendOffsets(group, [{ ...partition, offset: 1 }]);
    await transaction.abort();
    await log.produce(partition, records('after'));
    expect(valuesOf(await readSome(log, partition, { count: 2 }))).toEqual(['before', 'after']);
    expect(await log.committedOffsets(group, [partition])).toEqual([undefined]);
  });

  it('fences the older of two producers of one id', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const id = uniqueName('tx');
    const first = await log.openProducer(id);
    const older = first.begin();
    older.send(partition, records('older'));
    const second = await log.openProducer(id);
    const newer = second.begin();
    newer.send(partition, records('newer'));
    await expect(older.commit()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' });
    await newer.commit();
    expect(valuesOf(await readSome(log, partition, { count: 1 }))).toEqual(['newer']);
    await expect(begun(first)).rejects.toMatchObject({ code: 'PRODUCER_FENCED' });
    await second.begin().commit();
    expect(valuesOf(await readAll(log, partition))).toEqual(['newer']);
  });

  it('takes nothing more when a transaction has ended', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const transaction = (await log.openProducer(uniqueName('tx'))).begin();
    transaction.send(partition, records('once'));
    await transaction.commit();
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => transaction.send(partition, records('late'))).toThrow(/has ended/);
    expect(valuesOf(await readSome(log, partition, { count: 1 }))).toEqual(['once']);
  });
};

/** A log that hears of it late says so when the transaction commits. */
async function begun(producer: TransactionalProducer): Promise<void> {
  const transaction = producer.begin();
  await transaction.commit();
}
