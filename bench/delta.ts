/**
 * Delta tables: appends, a long log, and changing one row in a hundred. Written and read on this machine's disk.
 *
 *     npx tsx bench/delta.ts [rounds = 5] [gold rows = 1400000]
 *
 * Figures are medians of the rounds with their spread. Appends are of events as the shop has them (ten columns, five of them
 * strings), given by column, and each is a commit: durable files, statistics, the log entry, checkpoints when due. "A core" is
 * by the processor time of the process, which says most while others use the machine. The upserts of each round, with deletion
 * vectors, by buckets, and as a full rewrite, change the same rows of the same table, in alternating order.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeltaTable, tableSchema, type Value } from '../sinks/delta/index.ts';
import { spread } from './support/spread.ts';

const rounds = Number(process.argv[2] ?? 5);
const goldRows = Number(process.argv[3] ?? 1_400_000);
const root = await mkdtemp(join(tmpdir(), 'millrace-bench-delta-'));
let folders = 0;
const newFolder = (): string => join(root, `t${folders++}`);

try {
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${rounds} rounds`);
  await appends();
  await longLog();
  await upserts();
} finally {
  await rm(root, { recursive: true, force: true });
}

async function appends(): Promise<void> {
  const schema = tableSchema({
    ...{
      eventId: 'string',
      userId: 'string',
      sessionId: 'string',
      productId: 'string',
      type: 'string',
      quantity: 'integer',
    },
    ...{ price: 'decimal(18,4)', timestamp: 'timestamp', offset: 'long', partition: 'integer' },
  });
  for (const rows of [1_000, 10_000, 100_000]) {
    const commits = Math.max(3, Math.min(40, 200_000 / rows));
    const columns = eventColumns(rows);
    const rates: number[] = [];
    const slowest: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await using table = await DeltaTable.create(newFolder(), { schema });
      const before = process.cpuUsage();
      const times: number[] = [];
      for (let at = 0; at < commits; at++) {
        const begun = performance.now();
        await table.append({ columns }, { transactions: [{ appId: 'bench', version: BigInt(at) }] });
        times.push(performance.now() - begun);
      }
      rates.push((rows * commits) / cpuSeconds(before));
      slowest.push(times.toSorted((left, right) => left - right)[Math.floor(times.length * 0.5)]!);
    }
    console.log(
      `append ${rows} rows a commit: rows/s a core ${spread(rates)}, ms a commit (median) ${spread(slowest)}`,
    );
  }
}

async function longLog(): Promise<void> {
  const folder = newFolder();
  const commits = 10_000;
  {
    await using table = await DeltaTable.create(
      folder,
      { schema: tableSchema({ id: 'long' }) },
      { checkpoints: false },
    );
    for (let id = 0; id < commits; id++) await table.append([{ id }]);
  }
  const [without, withOne]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) without.push(await timeToOpen(folder));
  {
    await using table = await DeltaTable.open(folder);
    await table.checkpoint();
  }
  for (let round = 0; round < rounds; round++) withOne.push(await timeToOpen(folder));
  console.log(`open a log of ${commits} commits: ms ${spread(without)}; with a checkpoint ${spread(withOne)}`);
}

async function timeToOpen(folder: string): Promise<number> {
  const begun = performance.now();
  await using table = await DeltaTable.open(folder);
  if (table.snapshot.files.size === 0) throw new Error('The table has no files.');
  return performance.now() - begun;
}

async function upserts(): Promise<void> {
  const schema = tableSchema({
    ...{ id: 'long', title: 'string', views: 'long', carts: 'long' },
    revenue: 'decimal(18,4)',
  });
  const properties = { 'delta.enableDeletionVectors': 'true' };
  const all = goldColumns(goldRows, 1);
  const changed = goldColumns(goldRows, 100);
  const cpu: Record<string, number[]> = { 'deletion vectors': [], 'buckets (64)': [], 'full rewrite': [] };
  const kinds = Object.keys(cpu);
  const upsert = { key: ['id'], buckets: 64 };
  for (let round = 0; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      await using table = await DeltaTable.create(newFolder(), {
        schema,
        properties: kind === 'deletion vectors' ? properties : {},
      });
      if (kind === 'buckets (64)') await table.upsert({ columns: all }, upsert);
      else await table.append({ columns: all });
      const before = process.cpuUsage();
      // One bucket is one file with every row: the whole table is written anew.
      await table.upsert({ columns: changed }, kind === 'full rewrite' ? { key: ['id'], buckets: 1 } : upsert);
      cpu[kind]!.push(cpuSeconds(before));
    }
  }
  for (const kind of kinds) console.log(`upsert 1 % of ${goldRows} rows, ${kind}: cpu s ${spread(cpu[kind]!)}`);
}

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function eventColumns(rows: number): Record<string, Value[]> {
  const of = (value: (at: number) => Value): Value[] => Array.from({ length: rows }, (_, at) => value(at));
  return {
    eventId: of((at) => `0190f2c4-7a1e-7000-8000-${String(at).padStart(12, '0')}`),
    userId: of((at) => `u${(at * 7919) % 10_000}`),
    sessionId: of((at) => `s${Math.floor(at / 7)}`),
    productId: of((at) => `B0${(at * 104_729) % 4_960}`),
    type: of((at) => ['view', 'view', 'view', 'cart', 'purchase'][at % 5]!),
    quantity: of((at) => 1 + (at % 3)),
    price: of((at) => `${at % 200}.9900`),
    timestamp: of((at) => 1_764_374_400_000_000n + BigInt(at) * 1_000n),
    offset: of((at) => BigInt(at)),
    partition: of((at) => at % 4),
  };
}

/** Every `step`th row of the gold table. */
function goldColumns(rows: number, step: number): Record<string, Value[]> {
  const of = (value: (id: number) => Value): Value[] =>
    Array.from({ length: Math.floor(rows / step) }, (_, at) => value(at * step));
  return {
    id: of((id) => BigInt(id)),
    title: of((id) => `Product ${id} of the catalogue, in blue`),
    views: of((id) => BigInt((id * 31) % 1_000) + BigInt(step)),
    carts: of((id) => BigInt((id * 17) % 100)),
    revenue: of((id) => `${id % 10_000}.5000`),
  };
}
