import { describe, expect, it } from 'vitest';
import { DeltaTable, type Row, S3Folder, tableSchema } from '../index.ts';
import { allOf } from '../temporary-folder.testing.ts';
import { type Fault, FakeS3 } from './fake-s3.ts';

const schema = tableSchema({ id: 'long', country: 'string' });
const keys = { region: 'eu-test-1', accessKey: 'key', secretKey: 'secret' };

const open = (server: FakeS3): Promise<S3Folder> =>
  S3Folder.open('s3://lake/some/orders', { ...keys, endpoint: server.endpoint });

async function ids(table: DeltaTable): Promise<bigint[]> {
  const rows: Row[] = await allOf(table.read());
  return rows.map((row) => row['id'] as bigint).toSorted((left, right) => (left < right ? -1 : 1));
}

describe('a table on S3', () => {
  it('is written, read, compacted and vacuumed as one in a folder is', async () => {
    await using server = await FakeS3.listen();
    const properties = { 'delta.checkpointInterval': '3', 'delta.enableDeletionVectors': 'true' };
    await using table = await DeltaTable.create(await open(server), {
      schema,
      partitionColumns: ['country'],
      properties,
    });
    for (let id = 0; id < 5; id++)
      await table.append([
        { id, country: `Côte d'Ivoire & <${id}> %` },
        { id: id + 10, country: null },
      ]);
    await table.upsert(
      [
        { id: 1, country: 'x' },
        { id: 20, country: 'x' },
      ],
      { key: ['id'] },
    );
    await table.delete([{ column: 'id', op: '=', value: 10n }]);
    const wanted = [0n, 1n, 2n, 3n, 4n, 11n, 12n, 13n, 14n, 20n];
    await using other = await DeltaTable.open(await open(server));
    expect(await ids(other)).toEqual(wanted);
    await other.optimize();
    const before = server.objects.size;
    const { paths } = await other.vacuum({ retentionMs: -1, shorter: true });
    expect(paths.length).toBeGreaterThan(5);
    expect(server.objects.size).toBe(before - paths.length);
    expect(await ids(other)).toEqual(wanted);
    expect([...server.objects.keys()].filter((key) => key.includes('probe'))).toEqual([]);
  });

  it('is refused on a server that knows no conditional writes', async () => {
    await using server = await FakeS3.listen();
    server.conditional = false;
    const storage = await open(server);
    await expect(DeltaTable.create(storage, { schema })).rejects.toMatchObject({ code: 'STORAGE_UNSUITABLE' });
    expect(server.objects.size).toBe(0);
    server.conditional = true;
    // What was refused once is asked again.
    await using table = await DeltaTable.create(storage, { schema });
    expect(table.snapshot.version).toBe(0);
  });

  it('has each append once, whatever becomes of requests and answers', async () => {
    await using server = await FakeS3.listen();
    const properties = { 'delta.checkpointInterval': '4' };
    await using one = await DeltaTable.create(await open(server), { schema, properties });
    await using two = await DeltaTable.open(await open(server));
    const faults: readonly Fault[] = [
      { kind: 'lose-response' },
      { kind: 'refuse', status: 503, code: 'SlowDown' },
      { kind: 'refuse', status: 409, code: 'ConditionalRequestConflict' },
      { kind: 'refuse', status: 500, code: 'InternalError' },
    ];
    let [commits, others] = [0, 0];
    const met = new Set<Fault>();
    server.fault = (method, _key, conditional) => {
      // Every second write of an entry meets one of all faults; one in five of the other requests is refused for the moment.
      const fault = conditional
        ? faults[(commits++ % (2 * faults.length)) / 2]
        : others++ % 5 === 0
          ? faults[method === 'PUT' ? 1 : 3]
          : undefined;
      if (fault !== undefined) met.add(fault);
      return fault;
    };
    const failures: unknown[] = [];
    const writer = async (table: DeltaTable, from: number): Promise<void> => {
      for (let id = from; id < from + 12; id++) {
        const transactions = [{ appId: `writer-${from}`, version: BigInt(id) }];
        for (;;) {
          try {
            await table.append([{ id }], { transactions });
            break;
          } catch (error) {
            failures.push(error); // A caller that tries again until it is told that it is there.
          }
        }
      }
    };
    await Promise.all([writer(one, 0), writer(two, 100)]);
    server.fault = () => undefined;
    expect(met.size).toBe(faults.length);
    await using table = await DeltaTable.open(await open(server));
    expect(await ids(table)).toEqual(
      [0, 100].flatMap((from) => Array.from({ length: 12 }, (_, at) => BigInt(from + at))),
    );
    expect(failures.filter((error) => (error as { code?: string }).code !== 'STORAGE_FAILED')).toEqual([]);
  }, 120_000);

  it('says what the server refuses, at once', async () => {
    await using server = await FakeS3.listen();
    server.fault = () => ({ kind: 'refuse', status: 403, code: 'AccessDenied' });
    await expect(DeltaTable.open(await open(server))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      facts: { s3: 'AccessDenied' },
    });
    await expect(S3Folder.open('s3://lake')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    server.fault = () => undefined;
    await expect(DeltaTable.open(await open(server))).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });
});
