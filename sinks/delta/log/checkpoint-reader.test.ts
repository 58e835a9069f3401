import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DeltaTable, DuckDb, tableSchema } from '../index.ts';
import { allOf, temporaryFolders } from '../temporary-folder.testing.ts';

const newFolder = temporaryFolders();

it('statistics that a checkpoint has as a struct only are gone by', async () => {
  const folder = newFolder();
  const log = join(folder, '_delta_log');
  await using db = await DuckDb.open();
  await using table = await DeltaTable.create(folder, { schema: tableSchema({ id: 'long', at: 'timestamp' }) }, { db });
  for (let id = 0n; id < 3n; id++) await table.append([{ id, at: id * 1_000_000n }]);
  await table.checkpoint();
  const checkpoint = join(log, '00000000000000000003.checkpoint.parquet');
  const bounds = '{"id":"BIGINT","at":"TIMESTAMPTZ"}';
  const structure = `{"numRecords":"BIGINT","minValues":${bounds},"maxValues":${bounds},"nullCount":{"id":"BIGINT","at":"BIGINT"}}`;
  await db.session(async (session) => {
    const fields = ['path', 'partitionValues', 'size', 'modificationTime', 'dataChange'].map(
      (name) => `"${name}" := add."${name}"`,
    );
    const add = `struct_pack(${fields.join(', ')}, stats_parsed := from_json(add.stats, '${structure}'))`;
    await session.run(`CREATE TEMP TABLE old AS FROM read_parquet('${checkpoint}')`);
    await session.run(
      `COPY (SELECT * REPLACE (CASE WHEN add IS NOT NULL THEN ${add} END AS add) FROM old) TO '${checkpoint}' (FORMAT parquet)`,
    );
  });
  for (const name of readdirSync(log)) if (name.endsWith('.json')) rmSync(join(log, name));
  await using other = await DeltaTable.open(folder, { db });
  const needed = [...other.snapshot.files.values()].filter(({ stats }) => stats?.includes('"id":1,'));
  expect(needed).toHaveLength(1);
  for (const { path } of other.snapshot.files.values()) if (path !== needed[0]!.path) rmSync(join(folder, path));
  for (const column of ['id', 'at'] as const) {
    const value = column === 'id' ? 1n : 1_000_000n;
    expect(await allOf(other.read({ filters: [{ column, op: '=', value }] }))).toEqual([{ id: 1n, at: 1_000_000n }]);
  }
});
