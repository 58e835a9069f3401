import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog, type LogRecord } from '../log/index.ts';
import { createGroupCommit, openDataFolder } from '../state/index.ts';

/**
 * What the embedded log takes and gives: records of ~100 bytes in batches of 500, on RocksDB, against one entry a
 * record in the same engine. Rounds alternate; the median and the spread are printed.
 *
 *     npx tsx bench/log.ts [records]
 */
const total = Number(process.argv[2] ?? 500_000);
const batchRecords = 500;
const rounds = 5;
const now = 1_700_000_000_000;

const batches = Array.from({ length: Math.ceil(total / batchRecords) }, (_, b) =>
  Array.from({ length: batchRecords }, (_unused, i): LogRecord => {
    const n = b * batchRecords + i;
    return { key: Buffer.from(`visitor-${n % 10_000}`), value: Buffer.alloc(88, n % 251), timestamp: now + n };
  }),
);
const count = batches.length * batchRecords;

const results = {
  append: [] as number[],
  read: [] as number[],
  entryAppend: [] as number[],
  entryRead: [] as number[],
};
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? [batched, single] : [single, batched];
  for (const measure of order) await measure();
}
for (const [name, rates] of Object.entries(results)) {
  const sorted = rates.toSorted((a, b) => a - b);
  const [low, median, high] = [sorted[0] ?? 0, sorted[rounds >> 1] ?? 0, sorted.at(-1) ?? 0];
  process.stdout.write(`${name.padEnd(12)} ${k(median)} records/s   (${k(low)} to ${k(high)})\n`);
}

async function batched(): Promise<void> {
  await inFolder(async (engine) => {
    const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
    const partition = { topic: 'bench', partition: 0 };
    await log.createTopics([{ name: 'bench', partitions: 1 }]);
    results.append.push(
      await rate(async () => {
        let inFlight: Promise<unknown>[] = [];
        for (const records of batches) {
          inFlight.push(log.produce(partition, records));
          if (inFlight.length < 8) continue;
          await Promise.all(inFlight);
          inFlight = [];
        }
        await Promise.all(inFlight);
      }),
    );
    results.read.push(
      await rate(async () => {
        let read = 0;
        for (let offset = 0; ;) {
          const answer = await log.read(partition, offset, { maxRecords: 5_000, maxBytes: 4 << 20 });
          if (answer.records.length === 0) break;
          read += answer.records.length;
          offset = answer.nextOffset;
        }
        if (read !== count) throw new Error(`read ${read} of ${count} records`);
      }),
    );
    await log[Symbol.asyncDispose]();
  });
}

async function single(): Promise<void> {
  await inFolder(async (engine) => {
    const commits = createGroupCommit(engine);
    results.entryAppend.push(
      await rate(async () => {
        for (const [b, records] of batches.entries()) {
          await commits.submit((writer) => {
            records.forEach((record, i) =>
              writer.put('log', entryKey(b * batchRecords + i), record.value as Uint8Array),
            );
          });
        }
      }),
    );
    results.entryRead.push(
      await rate(async () => {
        let read = 0;
        for await (const chunk of engine.range('log', { gte: entryKey(0), lt: entryKey(count) })) read += chunk.length;
        if (read !== count) throw new Error(`read ${read} of ${count} entries`);
      }),
    );
  });
}

function entryKey(offset: number): Uint8Array {
  const key = Buffer.alloc(16);
  key.writeBigUInt64BE(BigInt(offset), 8);
  return key;
}

async function inFolder(use: (engine: Awaited<ReturnType<typeof openDataFolder>>) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const engine = await openDataFolder(folder);
  try {
    await use(engine);
  } finally {
    await engine[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
}

async function rate(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return count / ((performance.now() - start) / 1000);
}

function k(value: number): string {
  return `${Math.round(value / 1000)} k`.padStart(7);
}
