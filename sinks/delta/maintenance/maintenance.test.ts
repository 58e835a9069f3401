import { existsSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DeltaTable, type Row, tableSchema } from '../index.ts';
import { allOf, temporaryFolders } from '../temporary-folder.testing.ts';

const newFolder = temporaryFolders();
const schema = tableSchema({ id: 'long', x: 'double', y: 'double', day: 'date' });

async function ids(table: DeltaTable, version?: number): Promise<bigint[]> {
  const rows: Row[] = await allOf(table.read({ columns: ['id'], ...(version !== undefined && { version }) }));
  return rows.map((row) => row['id'] as bigint).toSorted((left, right) => (left < right ? -1 : 1));
}

/** As if a file had been written that long ago. */
function age(path: string, ageMs: number): void {
  const then = (Date.now() - ageMs) / 1000;
  utimesSync(path, then, then);
}

const dayMs = 86_400_000;

describe('optimize', () => {
  it('puts the files of each partition together, and changes no row', async () => {
    await using table = await DeltaTable.create(newFolder(), { schema, partitionColumns: ['day'] });
    for (let id = 0; id < 6; id++)
      await table.append([
        { id, day: '2026-01-01' },
        { id: id + 10, day: '2026-01-02' },
      ]);
    const before = await ids(table);
    const { filesRemoved, filesAdded } = await table.optimize();
    expect([filesRemoved, filesAdded]).toEqual([12, 2]);
    expect(table.snapshot.files.size).toBe(2);
    expect(await ids(table)).toEqual(before);
    expect(await ids(table, 6)).toEqual(before);
    expect((await table.optimize()).filesRemoved).toBe(0);
    const actions = [...table.snapshot.tombstones.values(), ...table.snapshot.files.values()];
    expect(actions.filter(({ dataChange }) => dataChange)).toEqual([]);
    const [entry] = await table.history(1);
    expect(entry?.commitInfo.operation).toBe('OPTIMIZE');
  });

  it('goes beside appends, which lose nothing', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema });
    await using other = await DeltaTable.open(folder);
    for (let id = 0; id < 4; id++) await table.append([{ id }]);
    await Promise.all([table.optimize(), ...[10, 11, 12].map((id) => other.append([{ id }]))]);
    await table.refresh();
    expect(await ids(table)).toEqual([0n, 1n, 2n, 3n, 10n, 11n, 12n]);
  });

  it('clusters rows along a curve, so that a filter on any of the columns opens few files', async () => {
    await using table = await DeltaTable.create(newFolder(), { schema });
    const rows = Array.from({ length: 4096 }, (_, id) => ({
      id,
      x: (id * 2654435761) % 64,
      y: Math.floor(id / 64),
      day: null,
    }));
    await table.append(rows);
    const bytes = [...table.snapshot.files.values()][0]!.size;
    await table.optimize({ clusterBy: ['x', 'y'], targetBytes: Math.ceil(bytes / 16) });
    const files = [...table.snapshot.files.values()];
    expect(files.length).toBeGreaterThanOrEqual(16);
    expect(await ids(table)).toEqual(rows.map(({ id }) => BigInt(id)));
    for (const column of ['x', 'y'] as const) {
      const widths = files.map(({ stats }) => {
        const { minValues, maxValues } = JSON.parse(stats!) as Record<string, Record<string, number>>;
        return maxValues![column]! - minValues![column]!;
      });
      // A sixteenth of the table is a quarter of each axis, where an order by one column would give 63 on the other.
      expect(Math.max(...widths)).toBeLessThanOrEqual(32);
    }
  });
});

describe('vacuum', () => {
  it('takes away what is old and not needed, and nothing else; a dry run takes nothing', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema, partitionColumns: ['day'] });
    for (let id = 0; id < 3; id++) await table.append([{ id, day: '2026-01-01' }]);
    writeFileSync(join(folder, 'orphan.parquet'), 'of a writer that died');
    writeFileSync(join(folder, '_own.parquet'), 'of somebody else');
    writeFileSync(join(folder, '_delta_log/.x.tmp'), 'of a commit that died');
    await table.optimize();
    const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const { parentPath, name } of all) age(join(parentPath, name), 8 * dayMs);
    writeFileSync(join(folder, 'young.parquet'), 'of a writer at work');
    // The tombstones are young yet: readers of the version before may be at work.
    const orphans = ['_delta_log/.x.tmp', 'orphan.parquet'];
    expect((await table.vacuum({ dryRun: true })).paths).toEqual(orphans);
    expect(existsSync(join(folder, 'orphan.parquet'))).toBe(true);
    expect((await table.vacuum()).paths).toEqual(orphans);
    await expect(table.vacuum({ retentionMs: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { paths } = await table.vacuum({ retentionMs: -1, shorter: true });
    expect(paths).toHaveLength(4);
    expect(await ids(table)).toEqual([0n, 1n, 2n]);
    expect(existsSync(join(folder, '_own.parquet'))).toBe(true);
    await expect(ids(table, 3)).rejects.toMatchObject({ code: 'TABLE_CORRUPT' });
  });

  it('takes nothing when a file of the table is not where it should be', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema });
    await table.append([{ id: 1 }]);
    await table.append([{ id: 2 }]);
    await table.optimize();
    const { path } = [...table.snapshot.files.values()][0]!;
    renameSync(join(folder, path), join(folder, `moved-${path}`));
    await expect(table.vacuum({ retentionMs: -1, shorter: true })).rejects.toMatchObject({ code: 'TABLE_CORRUPT' });
    expect(readdirSync(folder).filter((name) => name.endsWith('.parquet'))).toHaveLength(3);
  });
});

describe('cleaning of the log', () => {
  it('takes away what is before the checkpoint of the last commit that is to go', async () => {
    const folder = newFolder();
    const log = join(folder, '_delta_log');
    await using table = await DeltaTable.create(folder, { schema, properties: { 'delta.checkpointInterval': '3' } });
    for (let id = 1; id <= 8; id++) await table.append([{ id }]);
    expect(await table.cleanLog()).toEqual([]);
    for (const name of readdirSync(log)) if (/0000[0-4]\./.test(name)) age(join(log, name), 40 * dayMs);
    const gone = await table.cleanLog();
    expect(gone.map((path) => Number(path.slice(11, 31)))).toEqual([0, 1, 2]);
    await using other = await DeltaTable.open(folder);
    expect(await ids(other)).toHaveLength(8);
    expect(await ids(other, 3)).toHaveLength(3);
    await expect(ids(other, 2)).rejects.toMatchObject({ code: 'TABLE_VERSION_NOT_FOUND' });
    expect((await other.history()).map(({ version }) => version)).toEqual([8, 7, 6, 5, 4, 3]);
  });
});

describe('restore', () => {
  it('brings rows, schema and properties of a version back, and keeps transactions', async () => {
    await using table = await DeltaTable.create(newFolder(), { schema });
    await table.append([{ id: 1 }], { transactions: [{ appId: 'a', version: 1n }] });
    await table.addColumns(tableSchema({ title: 'string' }));
    await table.append([{ id: 2, title: 'x' }], { transactions: [{ appId: 'a', version: 2n }] });
    await table.optimize();
    await table.restore({ version: 1 });
    expect(await allOf(table.read())).toEqual([{ id: 1n, x: null, y: null, day: null }]);
    expect(table.snapshot.transactions.get('a')?.version).toBe(2n);
    await table.restore({ version: 3 });
    expect(await ids(table)).toEqual([1n, 2n]);
    await table.vacuum({ retentionMs: -1, shorter: true });
    await expect(table.restore({ version: 4 })).rejects.toMatchObject({ code: 'TABLE_CORRUPT' });
  });
});
