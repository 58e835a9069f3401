import { describe, expect, it } from 'vitest';
import { createGroupCommit, createMemoryEngine, type Engine, WriteBatchBuilder } from '../../state/index.ts';
import { limits, readAll, record, records, textOf, valuesOf } from '../conformance/support.ts';
import type { TopicSpec } from '../log.ts';
import { noteAppendTimes, openEmbeddedLog, type EmbeddedLog, type EmbeddedLogOptions } from './index.ts';

const t0 = { topic: 't', partition: 0 };
const day = 24 * 3600 * 1000;

async function open(
  spec: Partial<TopicSpec> = {},
  options: Partial<EmbeddedLogOptions> = {},
  engine = createMemoryEngine(),
) {
  const commits = createGroupCommit(engine);
  const log = await openEmbeddedLog({ engine, commits, minDirtyRatio: 0, ...options });
  await log.createTopics([{ name: 't', partitions: 1, ...spec }]);
  return { log, commits, engine };
}

/** Makes the stored batches those of format 1. */
async function forgetAppendTimes(engine: Engine): Promise<void> {
  const batch = new WriteBatchBuilder();
  for await (const chunk of engine.range('log', { gte: Buffer.alloc(1), lt: Buffer.alloc(1, 255) })) {
    for (const { key, value } of chunk) {
      const bytes = Buffer.from(value);
      const older = Buffer.concat([bytes.subarray(0, 56), bytes.subarray(64)]);
      older.writeUInt8(1, 0);
      older.writeUInt32BE(older.readUInt32BE(48) - 8, 48);
      older.writeUInt32BE(older.length, 52);
      batch.put('log', key, older);
    }
  }
  batch.seal();
  await engine.write(batch);
}

function contents(log: EmbeddedLog) {
  return readAll(log, t0, log.logStart(t0)).then((all) =>
    all.map(({ offset, key, value }) => [offset, textOf(key), textOf(value)]),
  );
}

describe('appender', () => {
  it('holds readers at the first unsettled offset, though later appends are durable', async () => {
    const { log, commits } = await open();
    const base = log.reserve(t0, 2);
    await log.produce(t0, records('produced'));
    expect([log.committedEnd(t0), log.endOffset(t0)]).toEqual([0, 3]);
    expect(await log.read(t0, 0, limits)).toEqual({ records: [], nextOffset: 0 });
    expect(await log.listOffsets(t0, 'latest')).toBe(0);
    await commits.submit((writer) => log.stage(writer, t0, base, records('unit 1', 'unit 2')));
    log.settle(t0, base + 2);
    expect(await contents(log)).toEqual([
      [0, 'key', 'unit 1'],
      [1, 'key', 'unit 2'],
      [2, 'key', 'produced'],
    ]);
  });

  it('leaves a gap where a unit was abandoned or kept its records to itself', async () => {
    const { log } = await open();
    await log.produce(t0, records('a'));
    const base = log.reserve(t0, 5);
    log.settle(t0, base + 5);
    await log.produce(t0, records('b'));
    expect(await log.read(t0, 1, { ...limits, maxRecords: 1 })).toMatchObject({
      records: [{ offset: 6 }],
      nextOffset: 7,
    });
    log.settle(t0, log.reserve(t0, 3) + 3);
    expect(await log.read(t0, 7, limits)).toEqual({ records: [], nextOffset: 10 });
  });

  it('does not settle an append of somebody else with a unit', async () => {
    const { log, commits } = await open();
    const first = log.reserve(t0, 1);
    const produced = log.produce(t0, records('produced'));
    const second = log.reserve(t0, 1);
    log.settle(t0, second + 1);
    expect(log.committedEnd(t0)).toBe(first + 1);
    await produced;
    expect(log.committedEnd(t0)).toBe(second + 1);
    await commits.idle();
  });

  it('never gives an offset out twice, also when nothing was written at the last ones', async () => {
    const { log, commits, engine } = await open();
    await log.produce(t0, records('a'));
    log.reserve(t0, 4);
    await commits.submit((writer) => log.stageEnd(writer, t0));
    const again = await openEmbeddedLog({ engine, commits });
    expect([again.endOffset(t0), again.committedEnd(t0)]).toEqual([5, 5]);
    expect((await again.produce(t0, records('b'))).baseOffset).toBe(5);
  });

  it('tells listeners of every durable append, and no longer when they stop', async () => {
    const { log, commits } = await open();
    const heard: string[] = [];
    const stop = log.onAppend(({ partition }) => heard.push(`${partition}: ${log.committedEnd(t0)}`));
    await log.produce(t0, records('a'));
    const base = log.reserve(t0, 2);
    await commits.submit((writer) => log.stage(writer, t0, base, records('b', 'c')));
    log.settle(t0, base + 2);
    stop();
    await log.produce(t0, records('d'));
    expect(heard).toEqual(['0: 1', '0: 3']);
  });

  it('purges in the unit, and group offsets go with it', async () => {
    const { log, commits } = await open();
    await log.produce(t0, records('a', 'b', 'c'));
    await commits.submit((writer) => {
      log.stageOffsets(writer, 'g', [{ ...t0, offset: 2 }]);
      log.stageLogStart(writer, t0, 2);
    });
    expect(await log.committedOffsets('g', [t0])).toEqual([2]);
    expect(await contents(log)).toEqual([[2, 'key', 'c']]);
  });
});

describe('retention', () => {
  it('drops whole batches that were appended too long ago, from the head only, and never beyond the last stable offset', async () => {
    let now = 10 * day;
    const { log } = await open({ retentionMs: day }, { clock: () => now });
    await log.produce(t0, records('old'));
    now += 0.8 * day;
    await log.produce(t0, records('young'));
    log.reserve(t0, 1);
    await log.produce(t0, records('unstable'));
    now += 0.5 * day;
    await log.clean();
    expect([log.logStart(t0), log.committedEnd(t0)]).toEqual([1, 2]);
    expect(await contents(log)).toEqual([[1, 'key', 'young']]);
    now += day;
    await log.clean();
    expect([log.logStart(t0), log.endOffset(t0)]).toEqual([2, 4]);
    expect(await log.listOffsets(t0, { timestamp: 0 })).toBe(2);
  });

  it('goes by the time of the append: events of 2009 stay for as long as live ones', async () => {
    let now = Date.UTC(2026, 0, 1);
    const { log } = await open({ retentionMs: 7 * day }, { clock: () => now });
    const begun = Date.UTC(2009, 11, 1);
    const sent = Array.from({ length: 300 }, (_, at) => record(`k${at % 7}`, `${at}`, begun + at * day));
    for (let at = 0; at < sent.length; at += 50) await log.produce(t0, sent.slice(at, at + 50));
    await log.clean();
    const replayed = await readAll(log, t0, 0);
    expect(replayed.map(({ timestamp }) => timestamp)).toEqual(sent.map(({ timestamp }) => timestamp));
    expect(valuesOf(replayed)).toEqual(sent.map(({ value }) => textOf(value)));
    now += 8 * day;
    await log.clean();
    expect([log.logStart(t0), log.endOffset(t0)]).toEqual([300, 300]);
    expect(await contents(log)).toEqual([]);
  });

  it('an event that says it is of the future goes with the others', async () => {
    let now = 10 * day;
    const { log } = await open({ retentionMs: day }, { clock: () => now });
    await log.produce(t0, [record('k', 'of next year', now + 365 * day)]);
    now += 2 * day;
    await log.clean();
    expect(log.logStart(t0)).toBe(1);
  });

  it('compaction and removal leave a batch the time of its append', async () => {
    let now = 10 * day;
    const spec = { cleanup: 'compact,delete', retentionMs: day } as const;
    const { log } = await open(spec, { clock: () => now });
    await log.produce(t0, [record('a', '1'), record('b', '1'), record('c', '1')]);
    await log.produce(t0, [record('a', '2')]);
    now += 0.9 * day;
    await log.clean();
    const removes = ({ key }: { key: Uint8Array | null }) => textOf(key) === 'b';
    expect(await log.removeRecords(t0, { belowOffset: 4, mayHold: () => true, removes })).toBe(1);
    expect((await contents(log)).map(([offset]) => offset)).toEqual([2, 3]);
    now += 0.2 * day;
    await log.clean();
    expect(await contents(log)).toEqual([]);
  });

  it('what was there before append times were kept counts as appended when they began; without that it stays', async () => {
    let now = 10 * day;
    for (const [migrates, logStart] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const engine = createMemoryEngine();
      const spec = { retentionMs: day };
      const first = await open(spec, { clock: () => now }, engine);
      await first.log.produce(t0, records('of another time'));
      await forgetAppendTimes(engine);
      if (migrates) await noteAppendTimes(engine, now);
      if (migrates) await noteAppendTimes(engine, now + 100 * day);
      const { log } = await open(spec, { clock: () => now }, engine);
      now += 0.5 * day;
      await log.clean();
      expect(log.logStart(t0)).toBe(0);
      now += day;
      await log.clean();
      expect(log.logStart(t0)).toBe(logStart);
    }
  });

  it('leaves what a group has not read in a topic that wants it, by age and by size, and everything without a group', async () => {
    let now = 10 * day;
    const { log, commits } = await open(
      { retentionMs: day, retentionBytes: 1, retainsUnread: true },
      { clock: () => now },
    );
    for (const value of ['0', '1', '2', '3']) await log.produce(t0, records(value));
    const commit = (group: string, offset: number) =>
      commits.submit((writer) => log.stageOffsets(writer, group, [{ ...t0, offset }]));
    now += 9 * day;
    await log.clean();
    expect(log.logStart(t0)).toBe(0);
    await commit('quick', 4);
    await commit('slow', 2);
    await log.clean();
    expect(log.logStart(t0)).toBe(2);
    await commit('slow', 4);
    await log.clean();
    expect(log.logStart(t0)).toBe(4);
  });

  it('does not ask groups elsewhere, as Kafka', async () => {
    let now = 10 * day;
    const { log, commits } = await open({ retentionMs: day }, { clock: () => now });
    await log.produce(t0, records('unread'));
    await commits.submit((writer) => log.stageOffsets(writer, 'slow', [{ ...t0, offset: 0 }]));
    now += 2 * day;
    await log.clean();
    expect(log.logStart(t0)).toBe(1);
  });

  it('keeps the last bytes a topic may have', async () => {
    const { log } = await open({ retentionBytes: 10_000 });
    for (let i = 0; i < 20; i++) await log.produce(t0, [record('k', 'x'.repeat(2_000))]);
    await log.clean();
    const { partitions } = await log.stats('t');
    expect(partitions[0]?.bytes).toBeGreaterThanOrEqual(10_000);
    expect(partitions[0]?.bytes).toBeLessThan(12_500);
    expect(partitions[0]).toMatchObject({ logStart: log.logStart(t0), committedEnd: 20, endOffset: 20 });
    await expect(log.read(t0, 0, limits)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
  });

  it('says out of range when the log start passes a read that is under way', async () => {
    const { log } = await open();
    for (let i = 0; i < 5; i++) await log.produce(t0, records(`${i}`));
    const reading = log.read(t0, 0, limits);
    await Promise.all([
      expect(reading).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' }),
      log.deleteRecords(t0, 4),
    ]);
  });
});

describe('compaction', () => {
  const compacted = { cleanup: 'compact', deleteRetentionMs: 1000 } as const;

  it('keeps the last value of every key at its offset', async () => {
    const { log } = await open(compacted);
    await log.produce(t0, [record('a', '1'), record('b', '1'), record('a', '2')]);
    await log.produce(t0, [record('c', '1'), record('b', '2')]);
    await log.clean();
    const kept = [
      [2, 'a', '2'],
      [3, 'c', '1'],
      [4, 'b', '2'],
    ];
    expect(await contents(log)).toEqual(kept);
    expect(await log.read(t0, 0, { ...limits, maxRecords: 1 })).toMatchObject({
      records: [{ offset: 2 }],
      nextOffset: 3,
    });
    await log.clean();
    expect(await contents(log)).toEqual(kept);
    expect(log.endOffset(t0)).toBe(5);
  });

  it('keeps a tombstone for deleteRetentionMs after it was first met', async () => {
    let now = 0;
    const { log } = await open(compacted, { clock: () => now });
    await log.produce(t0, [record('a', '1'), record('b', '1'), record('a', null)]);
    await log.clean();
    const withTombstone = [
      [1, 'b', '1'],
      [2, 'a', null],
    ];
    expect(await contents(log)).toEqual(withTombstone);
    now = 999;
    await log.clean();
    expect(await contents(log)).toEqual(withTombstone);
    now = 1000;
    await log.clean();
    expect(await contents(log)).toEqual([[1, 'b', '1']]);
    expect(await log.read(t0, 2, limits)).toEqual({ records: [], nextOffset: 3 });
  });

  it('does not look above the last stable offset', async () => {
    const { log, commits } = await open(compacted);
    await log.produce(t0, [record('a', '1')]);
    const base = log.reserve(t0, 1);
    await log.produce(t0, [record('a', '3')]);
    await log.clean();
    expect(await contents(log)).toEqual([[0, 'a', '1']]);
    await commits.submit((writer) => log.stage(writer, t0, base, [record('b', '2')]));
    log.settle(t0, base + 1);
    await log.clean();
    expect((await contents(log)).map(([, key, value]) => `${key}${value}`)).toEqual(['b2', 'a3']);
  });

  it('goes on where a bounded pass has ended', async () => {
    const { log } = await open(compacted, { compactionKeysMax: 2 });
    for (let i = 0; i < 12; i++) await log.produce(t0, [record(`${i % 4}`, `${i}`)]);
    for (let pass = 0; pass < 8; pass++) await log.clean();
    expect((await contents(log)).map(([, , value]) => value)).toEqual(['8', '9', '10', '11']);
  });

  it('refuses a record without a key', async () => {
    const { log } = await open(compacted);
    await expect(log.produce(t0, [record(null, 'x')])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('loses nothing that is appended and read while it runs', async () => {
    const { log } = await open(compacted);
    const rounds = 60;
    const reads: Promise<unknown>[] = [];
    for (let i = 0; i < rounds; i++) {
      const appended = log.produce(t0, [record(`${i % 5}`, `${i}`), record('always', `${i}`)]);
      const cleaned = log.clean();
      reads.push(contents(log));
      await Promise.all([appended, cleaned]);
    }
    await Promise.all(reads);
    await log.clean();
    const wanted = [...[55, 56, 57, 58, 59].map((i) => `${i}`), '59'];
    expect((await contents(log)).map(([, , value]) => value)).toEqual(wanted);
  });
});

describe('embedded log', () => {
  it('forgets a producer after its time, not before', async () => {
    let now = 0;
    const { log } = await open({}, { clock: () => now, producerExpiryMs: 1000 });
    const send = (sequence: number) => log.produce(t0, records('x'), { producer: { id: 'p', epoch: 3, sequence } });
    await send(0);
    now = 1000;
    await log.clean();
    await expect(send(5)).rejects.toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE' });
    now = 1001;
    await log.clean();
    expect(await send(5)).toEqual({ baseOffset: 1, duplicate: false });
  });

  it('reads with small limits decode a batch once, and see the same as large ones', async () => {
    const { log, engine } = await open();
    const ranges = counting(engine);
    await log.produce(t0, records(...Array.from({ length: 500 }, (_, i) => `${i}`)));
    const values: unknown[] = [];
    for (let offset = 0; offset < 500;) {
      const answer = await log.read(t0, offset, { maxRecords: 10, maxBytes: 1 << 20 });
      values.push(...valuesOf(answer.records));
      offset = answer.nextOffset;
    }
    expect(values).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
    expect(ranges()).toBe(1);
  });

  it('reads all the same when nothing may be cached', async () => {
    const { log } = await open({}, { readCacheBytes: 0 });
    await log.produce(t0, records('a', 'b', 'c'));
    const seen = [];
    for (let offset = 0; offset < 3; offset++)
      seen.push(...(await log.read(t0, offset, { ...limits, maxRecords: 1 })).records);
    expect(valuesOf(seen)).toEqual(['a', 'b', 'c']);
  });

  it('takes nothing more when a write has failed: what is on the disk is in doubt', async () => {
    const { log, engine } = await open();
    await log.produce(t0, records('a'));
    await engine[Symbol.asyncDispose]();
    await expect(log.produce(t0, records('b'))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(log.produce(t0, records('c'))).rejects.toMatchObject({
      code: 'LOG_CLOSED',
      cause: expect.objectContaining({ code: 'STORE_CLOSED' }),
    });
    expect(log.committedEnd(t0)).toBe(1);
  });

  it('splits a large append into batches, and the first offset stays the one answered', async () => {
    const { log } = await open();
    const many = Array.from({ length: 10_000 }, (_, i) => record('k', `${i}`));
    expect(await log.produce(t0, many)).toEqual({ baseOffset: 0, duplicate: false });
    const all = await readAll(log, t0);
    expect(all.map(({ offset, value }) => `${offset}:${textOf(value)}`)).toEqual(many.map((_, i) => `${i}:${i}`));
  });

  it('finishes what is on its way when it is closed, and refuses what comes later', async () => {
    const { log, commits, engine } = await open();
    const last = log.produce(t0, records('last'));
    await log[Symbol.asyncDispose]();
    expect((await last).baseOffset).toBe(0);
    await expect(log.produce(t0, records('late'))).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    const again = await openEmbeddedLog({ engine, commits });
    expect(valuesOf(await readAll(again, t0))).toEqual(['last']);
  });

  it('asks for a sync with every append when it promises to survive a power loss', async () => {
    for (const syncWrites of [true, false]) {
      const { log, engine } = await open({}, { syncWrites });
      const before = (await engine.stats()).syncs;
      await log.produce(t0, records('a'));
      await log.produce(t0, records('b'));
      expect((await engine.stats()).syncs - before).toBe(syncWrites ? 2 : 0);
    }
  });
});

/** How often ranges of the log were read since. */
function counting(engine: Engine): () => number {
  let count = 0;
  const range = engine.range.bind(engine);
  engine.range = (family, of) => {
    if (family === 'log') count++;
    return range(family, of);
  };
  return () => count;
}
