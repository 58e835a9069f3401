import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { arrayOf, DeltaTable, mapOf, type Row, tableSchema } from './index.ts';
import { allOf, temporaryFolders } from './temporary-folder.testing.ts';

const newFolder = temporaryFolders();

const everyType = tableSchema({
  'a boolean': 'boolean',
  byte: 'byte',
  short: 'short',
  integer: 'integer',
  long: { type: 'long', nullable: false },
  float: 'float',
  double: 'double',
  'str"in.g': 'string',
  binary: 'binary',
  date: 'date',
  timestamp: 'timestamp',
  small: 'decimal(5,2)',
  large: 'decimal(38,10)',
  list: arrayOf(arrayOf('string')),
  map: mapOf('string', 'decimal(10,2)'),
  struct: tableSchema({ x: 'long', y: tableSchema({ z: 'string' }) }),
});

const full: Row = {
  'a boolean': true,
  byte: -128,
  short: 32_767,
  integer: -2_147_483_648,
  long: 9_223_372_036_854_775_807n,
  float: 0.5,
  double: -1e300,
  'str"in.g': "it's \u{1F600} 'quoted' \\ \n",
  binary: Uint8Array.of(0, 255, 39),
  date: '2026-02-28',
  timestamp: 1_767_225_600_123_456n,
  small: '-123.45',
  large: '1234567890123456789012345678.0123456789',
  list: [['a', null], [], null],
  map: new Map([
    ['k', '1.50'],
    ['n', null],
  ]),
  struct: { x: -1n, y: { z: 'deep' } },
};

const empty: Row = { ...Object.fromEntries(Object.keys(full).map((name) => [name, null])), long: 0n };

describe('a Delta table', () => {
  it('gives back what was appended, of every type, also to who opens it anew', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema: everyType });
    expect(await allOf(table.read())).toEqual([]);
    await table.append([full, empty]);
    await using other = await DeltaTable.open(folder);
    for (const each of [table, other]) {
      expect(each.snapshot.version).toBe(1);
      const rows = await allOf(each.read());
      expect(rows.toSorted((left, right) => Number((right['long'] as bigint) - (left['long'] as bigint)))).toEqual([
        full,
        empty,
      ]);
    }
  });

  it('is at reader 1 and writer 2, and says what was done', async () => {
    await using table = await DeltaTable.create(newFolder(), { schema: tableSchema({ id: 'long' }) });
    await table.append([{ id: 1 }], { userMetadata: 'offsets 0-1' });
    expect(table.snapshot.protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 2 });
    const [append, create] = await table.history();
    expect([create?.version, create?.commitInfo.operation]).toEqual([0, 'CREATE TABLE']);
    expect(append?.commitInfo).toMatchObject({
      operation: 'WRITE',
      operationMetrics: { numFiles: '1', numOutputRows: '1' },
      userMetadata: 'offsets 0-1',
      isBlindAppend: true,
    });
  });

  it('writes statistics that bound every row', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema: everyType });
    await table.append([full, empty, { ...full, 'str"in.g': 'z'.repeat(40), double: Number.NaN, timestamp: 0n }]);
    const [file] = [...table.snapshot.files.values()];
    expect(file?.stats).toContain('"long":9223372036854775807');
    const stats = JSON.parse(file!.stats!) as Record<string, Record<string, unknown>>;
    expect(stats['numRecords']).toBe(3);
    expect(stats['minValues']).toMatchObject({
      byte: -128,
      date: '2026-02-28',
      timestamp: '1970-01-01T00:00:00.000Z',
      'str"in.g': "it's \u{1F600} 'quoted' \\ \n",
      struct: { y: { z: 'deep' } },
    });
    expect(stats['maxValues']).toMatchObject({
      timestamp: '2026-01-01T00:00:00.124Z',
      small: -123.45,
      'str"in.g': `${'z'.repeat(32)}\u007f`,
    });
    expect(stats['nullCount']).toMatchObject({ byte: 1, long: 0, binary: 1, 'a boolean': 1, struct: { x: 1 } });
    for (const bounds of [stats['minValues']!, stats['maxValues']!]) {
      for (const name of ['double', 'binary', 'a boolean', 'list', 'map']) expect(bounds).not.toHaveProperty([name]);
    }
  });

  it('writes a transaction once, whoever tries again', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema: tableSchema({ id: 'long' }) });
    const transactions = [{ appId: 'orders-0', version: 2n ** 60n }];
    expect((await table.append([{ id: 1 }], { transactions })).duplicate).toBe(false);
    expect((await table.append([{ id: 1 }], { transactions })).duplicate).toBe(true);
    await using other = await DeltaTable.open(folder);
    expect((await other.append([{ id: 1 }], { transactions })).duplicate).toBe(true);
    expect(await table.count()).toBe(1);
    expect(readdirSync(folder).filter((name) => name.endsWith('.parquet'))).toHaveLength(1);
  });

  it('notices behind its back that the same transaction was written', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema: tableSchema({ id: 'long' }) });
    await using other = await DeltaTable.open(folder);
    const transactions = [{ appId: 'orders-0', version: 7n }];
    await table.append([{ id: 1 }], { transactions });
    expect((await other.append([{ id: 1 }], { transactions })).duplicate).toBe(true);
    expect(await other.count()).toBe(1);
    // The file of the second try is taken away.
    expect(readdirSync(folder).filter((name) => name.endsWith('.parquet'))).toHaveLength(1);
    const half = [...transactions, { appId: 'orders-1', version: 1n }];
    await expect(other.append([{ id: 2 }], { transactions: half })).rejects.toMatchObject({ code: 'TABLE_CONFLICT' });
  });

  it('keeps rows of partitions apart, with values of every type in the log', async () => {
    const schema = tableSchema({
      id: 'long',
      'p=s/%': 'string',
      i: 'integer',
      d: 'date',
      t: 'timestamp',
      b: 'boolean',
      n: 'decimal(5,2)',
      f: 'double',
    });
    const partitionColumns = ['p=s/%', 'i', 'd', 't', 'b', 'n', 'f'];
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema, partitionColumns });
    const row = {
      'p=s/%': 'a b/=%:é*',
      i: -1,
      d: '2026-01-01',
      t: 1n,
      b: false,
      n: '0.50',
      f: Number.NEGATIVE_INFINITY,
    };
    const nulls = Object.fromEntries(partitionColumns.map((name) => [name, null]));
    await table.append([
      { id: 1, ...row },
      { id: 2, ...nulls },
      { id: 3, ...row },
    ]);
    const files = [...table.snapshot.files.values()];
    expect(files).toHaveLength(2);
    expect(files.map(({ partitionValues }) => partitionValues)).toContainEqual({
      'p=s/%': 'a b/=%:é*',
      i: '-1',
      d: '2026-01-01',
      t: '1970-01-01T00:00:00.000001Z',
      b: 'false',
      n: '0.50',
      f: '-Infinity',
    });
    for (const { path } of files) expect(existsSync(join(folder, decodeURIComponent(path)))).toBe(true);
    await using other = await DeltaTable.open(folder);
    const rows = (await allOf(other.read())).toSorted((left, right) => Number(left['id']) - Number(right['id']));
    expect(rows).toEqual([
      { id: 1n, ...row },
      { id: 2n, ...nulls },
      { id: 3n, ...row },
    ]);
  });

  it('is read as of a version and as of a time', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema: tableSchema({ id: 'long' }) });
    for (const id of [1, 2, 3]) await table.append([{ id }]);
    const times = new Map((await table.history()).map((entry) => [entry.version, entry.timestampMs]));
    for (const version of [0, 1, 2, 3]) {
      expect(await table.count({ version })).toBe(version);
      expect(await table.count({ timestampMs: times.get(version)! })).toBe(version);
    }
    await expect(table.count({ version: 4 })).rejects.toMatchObject({ code: 'TABLE_VERSION_NOT_FOUND' });
    await expect(table.count({ timestampMs: times.get(0)! - 1 })).rejects.toMatchObject({
      code: 'TABLE_VERSION_NOT_FOUND',
    });
  });

  it('refuses rows that do not fit, naming column and row, and writes nothing', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema: everyType });
    const refusals: readonly (readonly [Row, RegExp])[] = [
      [{ ...full, long: null }, /'long'.*row 1/],
      [{ ...full, byte: 128 }, /'byte'.*-128 to 127, found 128/],
      [{ ...full, integer: 1.5 }, /'integer'/],
      [{ ...full, long: 2n ** 63n }, /'long'/],
      [{ ...full, small: '1000.00' }, /'small'.*decimal of 5 digits/],
      [{ ...full, small: '0.001' }, /'small'/],
      [{ ...full, date: '2026-02-29' }, /'date'/],
      [{ ...full, timestamp: 5 }, /'timestamp'/],
      [{ ...full, list: 'x' }, /'list'/],
      [{ ...full, unknown: 1 }, /'unknown' is not in the schema/],
    ];
    for (const [row, message] of refusals) {
      await expect(table.append([full, row])).rejects.toMatchObject({
        code: 'ROW_INVALID',
        message: expect.stringMatching(message) as string,
      });
    }
    expect(table.snapshot.version).toBe(0);
    expect(readdirSync(folder)).toEqual(['_delta_log']);
  });

  it('goes on from a checkpoint, without the commits before it and whatever `_last_checkpoint` says', async () => {
    const folder = newFolder();
    const log = join(folder, '_delta_log');
    await using table = await DeltaTable.create(folder, {
      schema: tableSchema({ id: 'long', day: 'date' }),
      partitionColumns: ['day'],
      properties: { 'delta.checkpointInterval': '5', 'delta.logRetentionDuration': 'interval 3 days' },
      description: 'of "orders"',
    });
    for (let id = 0; id < 7; id++) {
      await table.append(
        [
          { id, day: '2026-01-01' },
          { id, day: null },
        ],
        { transactions: [{ appId: 'a', version: BigInt(id) }] },
      );
    }
    expect(JSON.parse(readFileSync(join(log, '_last_checkpoint'), 'utf8'))).toMatchObject({
      version: 5,
      numOfAddFiles: 10,
    });
    const before = table.snapshot;
    for (const version of [0, 1, 2, 3, 4]) rmSync(join(log, `0000000000000000000${version}.json`));
    for (const hint of [undefined, '', '{"version":3}', '{"version":50}', 'torn {']) {
      if (hint !== undefined) writeFileSync(join(log, '_last_checkpoint'), hint);
      await using other = await DeltaTable.open(folder);
      expect(other.snapshot.version).toBe(7);
      expect(other.snapshot.metadata).toEqual(before.metadata);
      expect(other.snapshot.protocol).toEqual(before.protocol);
      expect(other.snapshot.transactions.get('a')?.version).toBe(6n);
      expect(new Set(other.snapshot.files.keys())).toEqual(new Set(before.files.keys()));
      expect(await other.count()).toBe(14);
      expect(await other.count({ version: 5 })).toBe(10);
      await expect(other.count({ version: 4 })).rejects.toMatchObject({ code: 'TABLE_VERSION_NOT_FOUND' });
    }
  });

  it('says that a log with a gap, a torn entry or no table is none to be read', async () => {
    const folder = newFolder();
    await expect(DeltaTable.open(folder)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    await using table = await DeltaTable.create(folder, { schema: tableSchema({ id: 'long' }) });
    await expect(DeltaTable.create(folder, { schema: table.schema })).rejects.toMatchObject({ code: 'TABLE_EXISTS' });
    for (const id of [1, 2, 3]) await table.append([{ id }]);
    const second = join(folder, '_delta_log/00000000000000000002.json');
    const whole = readFileSync(second, 'utf8');
    writeFileSync(second, whole.slice(0, -20));
    await expect(DeltaTable.open(folder)).rejects.toThrow(/line \d of .*0002.json.* is not JSON/);
    rmSync(second);
    await expect(DeltaTable.open(folder)).rejects.toMatchObject({ code: 'TABLE_CORRUPT', facts: { version: 2 } });
    writeFileSync(second, whole.replace('"size":', '"size":"x","was":'));
    await expect(DeltaTable.open(folder)).rejects.toThrow(/'size' wants an integer/);
    writeFileSync(second, whole);
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.parquet'));
    rmSync(join(folder, file!));
    await using other = await DeltaTable.open(folder);
    await expect(allOf(other.read())).rejects.toMatchObject({ code: 'TABLE_CORRUPT', facts: { path: file } });
  });

  it('refuses a table that needs what Millrace lacks, by name', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema: tableSchema({ id: 'long' }) });
    await table.append([{ id: 1 }]);
    const entry = join(folder, '_delta_log/00000000000000000002.json');
    const put = (protocol: object): void => writeFileSync(entry, `${JSON.stringify({ protocol })}\n`);
    put({ minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ['variantType'], writerFeatures: ['variantType'] });
    await expect(DeltaTable.open(folder)).rejects.toMatchObject({
      code: 'TABLE_UNSUPPORTED',
      facts: { features: 'variantType' },
    });
    put({ minReaderVersion: 4, minWriterVersion: 8 });
    await expect(DeltaTable.open(folder)).rejects.toThrow(/reader version 4/);
    put({ minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['rowTracking', 'appendOnly'] });
    await using readOnly = await DeltaTable.open(folder);
    expect(await readOnly.count()).toBe(1);
    await expect(readOnly.append([{ id: 2 }])).rejects.toMatchObject({
      code: 'TABLE_UNSUPPORTED',
      facts: { features: 'rowTracking' },
    });
    put({ minReaderVersion: 1, minWriterVersion: 6 });
    await using old = await DeltaTable.open(folder);
    expect((await old.append([{ id: 2 }])).snapshot.version).toBe(3);
  });

  it('opens only files that may have what a filter asks for', async () => {
    const folder = newFolder();
    await using table = await DeltaTable.create(folder, { schema: tableSchema({ id: 'long', title: 'string' }) });
    for (let id = 0; id < 5; id++)
      await table.append([
        { id, title: `t${id}` },
        { id: id + 100, title: null },
      ]);
    const unneeded = [...table.snapshot.files.values()].filter(
      ({ stats }) => !stats?.includes('"id":3,') && !stats?.includes('"id":3}'),
    );
    expect(unneeded).toHaveLength(4);
    for (const { path } of unneeded) rmSync(join(folder, path));
    const rows = await allOf(
      table.read({
        columns: ['title'],
        filters: [
          { column: 'id', op: '=', value: 3n },
          { column: 'title', op: '>=', value: 't3' },
        ],
      }),
    );
    expect(rows).toHaveLength(1);
    expect(rows).toEqual([{ title: 't3' }]);
  });
});
