import { expect, it } from 'vitest';
import type { LogRecord } from '../log.ts';
import type { Cases, LogSupports } from './log-conformance.ts';
import { limits, newTopic, readAll, readSome, record, records, textOf, uniqueName, valuesOf } from './support.ts';

export const produceAndReadCases: Cases = (openLog, supports) => {
  it('gives back keys, values, headers and timestamps as they were', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const headers = [
      { key: 'empty', value: new Uint8Array() },
      { key: 'naïve', value: new Uint8Array([0, 255]) },
      { key: 'empty', value: new Uint8Array([1]) },
    ];
    const sent: LogRecord[] = [
      record('a', 'first', 1_700_000_000_123),
      record(null, 'no key', 1_600_000_000_000),
      record('a', null, 1_800_000_000_000),
      { ...record('', '', 1), headers },
    ];
    const { baseOffset } = await log.produce(partition, sent);
    const found = await readSome(log, partition, { count: 4 });
    expect(found.map((r) => [r.offset, textOf(r.key), textOf(r.value), r.timestamp])).toEqual([
      [baseOffset, 'a', 'first', 1_700_000_000_123],
      [baseOffset + 1, null, 'no key', 1_600_000_000_000],
      [baseOffset + 2, 'a', null, 1_800_000_000_000],
      [baseOffset + 3, '', '', 1],
    ]);
    // Order holds among headers of one key; Kafka's clients may group them by key.
    const back = (key: string) => (found[3]?.headers ?? []).filter((h) => h.key === key).map((h) => [...h.value]);
    expect([back('empty'), back('naïve')]).toEqual([[[], [1]], [[0, 255]]]);
    expect(found[0]?.headers ?? []).toEqual([]);
  });

  it('appends in the order of the calls, to each partition by itself', async () => {
    await using log = await openLog();
    const { topic } = await newTopic(log, 2);
    const [even, odd] = [0, 1].map((partition) => ({ topic, partition })) as [never, never];
    const sends = Array.from({ length: 40 }, (_, i) => log.produce(i % 2 === 0 ? even : odd, records(`${i}`)));
    const offsets = (await Promise.all(sends)).map((result) => result.baseOffset);
    const wanted = (rest: number) => Array.from({ length: 20 }, (_, i) => `${i * 2 + rest}`);
    expect(valuesOf(await readSome(log, even, { count: 20 }))).toEqual(wanted(0));
    expect(valuesOf(await readSome(log, odd, { count: 20 }))).toEqual(wanted(1));
    for (let i = 2; i < offsets.length; i++) expect(offsets[i]).toBeGreaterThan(offsets[i - 2] as number);
  });

  it('reads on from nextOffset to the end, whatever the limits', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const all = Array.from({ length: 60 }, (_, i) => `value ${i}`);
    for (let i = 0; i < 60; i += 20) await log.produce(partition, records(...all.slice(i, i + 20)));
    for (const limit of [
      { maxRecords: 1, maxBytes: 1 << 20 },
      { maxRecords: 7, maxBytes: 1 << 20 },
      { maxRecords: 1000, maxBytes: 1 },
      { maxRecords: 1000, maxBytes: 100 },
    ]) {
      const answer = await log.read(partition, 0, limit);
      expect(answer.records.length).toBeGreaterThan(0);
      expect(answer.records.length).toBeLessThanOrEqual(Math.min(limit.maxRecords, limit.maxBytes === 1 ? 1 : 60));
      expect(valuesOf(await readSome(log, partition, { count: 60, limit }))).toEqual(all);
    }
  });

  it('begins inside a batch when asked to', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const { baseOffset } = await log.produce(partition, records('a', 'b', 'c', 'd'));
    expect(valuesOf((await log.read(partition, baseOffset + 2, limits)).records)).toEqual(['c', 'd']);
  });

  it('answers with nothing at the end, and refuses what lies beyond', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    await log.produce(partition, records('a', 'b'));
    const end = await log.listOffsets(partition, 'latest');
    expect(await log.read(partition, end, limits)).toEqual({ records: [], nextOffset: end });
    await expect(log.read(partition, end + 1, limits)).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      facts: { ...partition, offset: end + 1 },
    });
    await expect(log.read(partition, -1, limits)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
  });

  it('refuses a record that is too large, with both numbers, and takes what fits', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const tooLarge = { key: null, value: new Uint8Array(supports.maxRecordBytes + 1), timestamp: 0 };
    await expect(log.produce(partition, [tooLarge])).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      facts: { bytes: supports.maxRecordBytes + 1, maxRecordBytes: supports.maxRecordBytes },
    });
    await log.produce(partition, records('fits'));
    expect(valuesOf(await readAll(log, partition))).toEqual(['fits']);
  });

  it('keeps everything acknowledged when it is opened again', async () => {
    let log = await openLog();
    const partition = await newTopic(log);
    await log.produce(partition, records('a', 'b'));
    const end = await log.listOffsets(partition, 'latest');
    log = await supports.reopen(log);
    expect(await log.listOffsets(partition, 'latest')).toBe(end);
    await log.produce(partition, records('c'));
    expect(valuesOf(await readSome(log, partition, { count: 3 }))).toEqual(['a', 'b', 'c']);
    await log[Symbol.asyncDispose]();
  });

  it.runIf(supports.producerSequences)(
    numbered('appends a batch once that a producer sends twice', supports),
    async () => {
      let log = await openLog();
      const partition = await newTopic(log);
      const id = uniqueName('producer');
      const batch = (sequence: number, ...values: string[]) =>
        log.produce(partition, records(...values), { producer: { id, epoch: 0, sequence } });
      const first = await batch(0, 'a', 'b');
      const second = await batch(2, 'c');
      expect(await batch(0, 'a', 'b')).toEqual({ baseOffset: first.baseOffset, duplicate: true });
      const [third, retry] = await Promise.all([batch(3, 'd'), batch(3, 'd')]);
      expect(retry).toEqual({ baseOffset: third.baseOffset, duplicate: true });
      log = await supports.reopen(log);
      expect(await batch(2, 'c')).toEqual({ baseOffset: second.baseOffset, duplicate: true });
      await expect(batch(5, 'gap')).rejects.toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE', facts: { wanted: 4 } });
      expect(valuesOf(await readAll(log, partition))).toEqual(['a', 'b', 'c', 'd']);
      await log[Symbol.asyncDispose]();
    },
  );

  it.runIf(supports.producerSequences)(
    numbered('fences a producer whose id has come with a higher epoch', supports),
    async () => {
      await using log = await openLog();
      const partition = await newTopic(log);
      const id = uniqueName('producer');
      const batch = (epoch: number, sequence: number, value: string) =>
        log.produce(partition, records(value), { producer: { id, epoch, sequence } });
      await batch(0, 0, 'old');
      await expect(batch(1, 1, 'must begin at 0')).rejects.toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE' });
      await batch(1, 0, 'new');
      await expect(batch(0, 1, 'fenced')).rejects.toMatchObject({ code: 'PRODUCER_FENCED' });
      expect(valuesOf(await readAll(log, partition))).toEqual(['old', 'new']);
    },
  );
};

function numbered(name: string, { producerSequences }: LogSupports): string {
  return producerSequences ? name : `${name} [skipped: brokers give producers their ids and numbers]`;
}
