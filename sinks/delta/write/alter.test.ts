import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeltaTable, type Row, tableSchema } from '../index.ts';
import { allOf, temporaryFolders } from '../temporary-folder.testing.ts';

const newFolder = temporaryFolders();
const schema = tableSchema({ id: 'long', quantity: 'integer', kind: 'string' });

afterEach(() => vi.useRealTimers());

describe('a table that is changed', () => {
  it('gets a column, which is null in older rows; a writer that did not know of it goes on', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema });
    await using other = await DeltaTable.open(folder);
    await table.append([{ id: 1 }]);
    await table.addColumns(tableSchema({ note: 'string', 'deep one': tableSchema({ x: 'long' }) }));
    await table.append([{ id: 2, note: 'n', 'deep one': { x: 5n } }]);
    await other.append([{ id: 3 }]);
    const rows = await allOf(other.read({ columns: ['id', 'note', 'deep one'] }));
    expect(rows.toSorted((left, right) => Number(left['id']) - Number(right['id']))).toEqual([
      { id: 1n, note: null, 'deep one': null },
      { id: 2n, note: 'n', 'deep one': { x: 5n } },
      { id: 3n, note: null, 'deep one': null },
    ]);
    await expect(table.addColumns(tableSchema({ NOTE: 'string' }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(table.addColumns(tableSchema({ n: { type: 'long', nullable: false } }))).rejects.toThrow(/nullable/);
  });

  it('checks constraints, before one is added and before each write; null does not meet one', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema });
    await using other = await DeltaTable.open(folder);
    await table.append([{ id: 1, quantity: 5, kind: 'a' }]);
    await expect(table.addConstraint('many', 'quantity > 5')).rejects.toMatchObject({ code: 'ROW_INVALID' });
    await table.addConstraint('Some', "quantity BETWEEN 1 AND 10 AND `kind` IN ('a', 'b') OR id < 0");
    expect(table.snapshot.protocol).toEqual({
      minReaderVersion: 1,
      minWriterVersion: 7,
      writerFeatures: ['appendOnly', 'invariants', 'checkConstraints'],
    });
    const bad: readonly Row[] = [
      { id: 2, quantity: 11, kind: 'a' },
      { id: 2, quantity: 1, kind: 'c' },
      { id: 2, quantity: null, kind: 'a' },
    ];
    for (const row of bad) {
      // The other has not seen the constraint yet.
      await expect(other.append([row])).rejects.toMatchObject({
        code: 'ROW_INVALID',
        facts: { constraint: 'some', rows: 1 },
      });
    }
    await table.append([
      { id: 2, quantity: 10, kind: 'b' },
      { id: -1, quantity: 99, kind: null },
    ]);
    await table.dropConstraint('some');
    await table.append([{ id: 3, quantity: 11, kind: 'a' }]);
    expect(await table.count()).toBe(4);
  });

  it('writes nothing under a constraint that it can not read', async () => {
    for (const expression of [
      'id > "x"',
      'id > (SELECT 1)',
      "kind LIKE 'a%'",
      'id / 2 > 1',
      'read_text("/etc/passwd") = 1',
      "kind = 'a''b'",
      'unknown > 1',
      'id > ',
      'id NOT 5',
      '1e5 > id',
    ]) {
      await using table = await DeltaTable.create(newFolder(), {
        schema,
        properties: { 'delta.constraints.c': expression },
      });
      await expect(table.append([{ id: 1 }])).rejects.toMatchObject({
        code: 'TABLE_UNSUPPORTED',
        facts: { constraint: 'c' },
      });
    }
  });

  it('refuses to remove rows where it may only be added to', async () => {
    await using table = await DeltaTable.create(newFolder(), { schema, properties: { 'delta.appendOnly': 'true' } });
    await table.append([{ id: 1 }]);
    await table.append([{ id: 2 }]);
    await expect(table.delete([{ column: 'id', op: '=', value: 1n }])).rejects.toMatchObject({
      code: 'TABLE_UNSUPPORTED',
    });
    await expect(table.upsert([{ id: 1 }], { key: ['id'] })).rejects.toMatchObject({ code: 'TABLE_UNSUPPORTED' });
    await expect(table.restore({ version: 1 })).rejects.toMatchObject({ code: 'TABLE_UNSUPPORTED' });
    expect((await table.optimize()).filesRemoved).toBe(2);
  });

  it('has growing times in its commits where that is switched on, also when the clock goes back', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema });
    await table.append([{ id: 1 }]);
    await table.setProperties({ 'delta.enableInCommitTimestamps': 'true' });
    expect(table.snapshot.protocol.writerFeatures).toContain('inCommitTimestamp');
    expect(table.snapshot.metadata.configuration).toMatchObject({ 'delta.inCommitTimestampEnablementVersion': '2' });
    for (let id = 2; id < 20; id++) await table.append([{ id }]);
    await using other = await DeltaTable.open(folder);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    await other.append([{ id: 20 }]);
    const entries = await other.history();
    const said = entries.map(({ commitInfo }) => commitInfo.inCommitTimestamp);
    expect(said.slice(0, -2).every((time, at) => time === entries[at]!.timestampMs)).toBe(true);
    expect(said.slice(-2)).toEqual([undefined, undefined]);
    const times = said.slice(0, -2) as number[];
    expect(times).toEqual([...new Set(times)].toSorted((left, right) => right - left));
    expect(await other.count({ timestampMs: times[0]! })).toBe(20);
    expect(await other.count({ timestampMs: times[0]! - 1 })).toBe(19);
  });
});
