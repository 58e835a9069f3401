import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaTable, type Row, tableSchema } from '../index.ts';
import { allOf, temporaryFolders } from '../temporary-folder.testing.ts';

const newFolder = temporaryFolders();
const schema = tableSchema({ id: 'long', shop: 'string', amount: 'integer' });
const key = ['id', 'shop'];

const modes = [
  ['with deletion vectors', { 'delta.enableDeletionVectors': 'true' }],
  ['by buckets', {}],
  [
    'with deletion vectors and a change feed',
    { 'delta.enableDeletionVectors': 'true', 'delta.enableChangeDataFeed': 'true' },
  ],
  ['by buckets, with a change feed', { 'delta.enableChangeDataFeed': 'true' }],
] as const;

type Model = Map<string, Row>;
const keyOf = (row: Row): string => `${row['id']} ${row['shop']}`;
const sorted = (rows: Iterable<Row>): Row[] =>
  [...rows].toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));

const rows = fc.uniqueArray(
  fc.record({
    id: fc.bigInt(0n, 12n),
    shop: fc.constantFrom('a', 'b', null),
    amount: fc.option(fc.integer({ min: 0, max: 99 })),
  }),
  { minLength: 1, maxLength: 8, selector: keyOf },
);
const step = fc.oneof(
  fc.record({ kind: fc.constant('upsert' as const), rows }),
  fc.record({ kind: fc.constant('delete' as const), below: fc.bigInt(1n, 9n) }),
  fc.record({ kind: fc.constant('optimize' as const) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);

describe('upserts and deletes', () => {
  it.each(modes)(
    '%s end in what a map would have, in every version and in the change feed',
    async (_, properties) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 9 }), fc.boolean(), async (steps, partitioned) => {
          const folder = newFolder();
          const interval = { 'delta.checkpointInterval': '3' };
          let table = await DeltaTable.create(folder, {
            schema,
            properties: { ...properties, ...interval },
            partitionColumns: partitioned ? ['shop'] : [],
          });
          try {
            const model: Model = new Map();
            const versions = new Map<number, Row[]>([[0, []]]);
            for (const each of steps) {
              if (each.kind === 'upsert') {
                const known = each.rows.filter((row) => model.has(keyOf(row))).length;
                const { updated, inserted } = await table.upsert(each.rows, { key, buckets: 3 });
                expect([updated, inserted]).toEqual([known, each.rows.length - known]);
                for (const row of each.rows) model.set(keyOf(row), row);
              } else if (each.kind === 'delete') {
                const gone = [...model].filter(([, row]) => (row['id'] as bigint) < each.below);
                const { rows: count } = await table.delete([{ column: 'id', op: '<', value: each.below }]);
                expect(count).toBe(gone.length);
                for (const [gonekey] of gone) model.delete(gonekey);
              } else if (each.kind === 'optimize') await table.optimize();
              else {
                await table[Symbol.asyncDispose]();
                table = await DeltaTable.open(folder);
              }
              versions.set(table.snapshot.version, sorted(model.values()));
              expect(sorted(await allOf(table.read()))).toEqual(sorted(model.values()));
            }
            for (const [version, then] of versions) expect(sorted(await allOf(table.read({ version })))).toEqual(then);
            if ('delta.enableChangeDataFeed' in properties) await feedLeadsTo(table, sorted(model.values()));
          } finally {
            await table[Symbol.asyncDispose]();
          }
        }),
        { numRuns: 10 },
      );
    },
    120_000,
  );

  it('with deletion vectors leave the files as they are, by buckets rewrite those of their keys', async () => {
    const all = Array.from({ length: 500 }, (_, id): Row => ({ id: BigInt(id), shop: 'a', amount: 0 }));
    const some = all.slice(0, 5).map((row) => ({ ...row, amount: 1 }));
    const pathsAfter = async (properties: Readonly<Record<string, string>>): Promise<[string[], string[]]> => {
      await using table = await DeltaTable.create(newFolder(), { schema, properties });
      await table.upsert(all, { key, buckets: 32 });
      const before = [...table.snapshot.files.values()].map(({ path }) => path);
      await table.upsert(some, { key, buckets: 32 });
      const after = [...table.snapshot.files.values()].map(({ path }) => path);
      return [before, after];
    };
    const [vectorsBefore, vectorsAfter] = await pathsAfter({ 'delta.enableDeletionVectors': 'true' });
    expect(vectorsAfter).toEqual(expect.arrayContaining(vectorsBefore));
    expect(vectorsAfter).toHaveLength(vectorsBefore.length + 1);
    const [bucketsBefore, bucketsAfter] = await pathsAfter({});
    const kept = bucketsBefore.filter((path) => bucketsAfter.includes(path));
    expect(bucketsBefore.length).toBeGreaterThan(16);
    expect(kept.length).toBeGreaterThanOrEqual(bucketsBefore.length - 5);
  });

  it('refuses a key that stands twice, and writes a transaction once', async () => {
    await using table = await DeltaTable.create(newFolder(), { schema });
    const twice = [
      { id: 1, shop: null },
      { id: 1, shop: null },
    ];
    await expect(table.upsert(twice, { key })).rejects.toMatchObject({ code: 'ROW_INVALID' });
    const transactions = [{ appId: 'gold', version: 3n }];
    expect((await table.upsert([{ id: 1 }], { key, transactions })).duplicate).toBe(false);
    expect((await table.upsert([{ id: 1, amount: 5 }], { key, transactions })).duplicate).toBe(true);
    expect(await allOf(table.read())).toEqual([{ id: 1n, shop: null, amount: null }]);
  });

  it('of two instances at once both are there in the end, one over the other', async () => {
    const folder = newFolder();
    await using one = await DeltaTable.create(folder, {
      schema,
      properties: { 'delta.enableDeletionVectors': 'true' },
    });
    await using two = await DeltaTable.open(folder);
    await one.upsert(
      [
        { id: 1, shop: 'a', amount: 0 },
        { id: 2, shop: 'a', amount: 0 },
      ],
      { key },
    );
    await Promise.all([
      one.upsert([{ id: 1, shop: 'a', amount: 1 }], { key }),
      two.upsert([{ id: 2, shop: 'a', amount: 2 }], { key }),
    ]);
    await one.refresh();
    expect(sorted(await allOf(one.read())).map((row) => row['amount'])).toEqual([1, 2]);
  });
});

/** Plays the feed to its end, and compares. */
async function feedLeadsTo(table: DeltaTable, wanted: readonly Row[]): Promise<void> {
  const model: Model = new Map();
  for (let version = 1; version <= table.snapshot.version; version++) {
    const changes = await allOf(table.changes({ fromVersion: version, toVersion: version }));
    const plain = changes.map(({ id, shop, amount }) => ({ id: id!, shop: shop!, amount: amount! }));
    changes.forEach((change, at) => {
      expect(change['_commit_version']).toBe(BigInt(version));
      const type = change['_change_type'];
      if (type === 'delete' || type === 'update_preimage') {
        expect(model.get(keyOf(plain[at]!))).toEqual(plain[at]);
        model.delete(keyOf(plain[at]!));
      }
    });
    changes.forEach((change, at) => {
      const type = change['_change_type'];
      if (type === 'insert' || type === 'update_postimage') model.set(keyOf(plain[at]!), plain[at]!);
    });
  }
  expect(sorted(model.values())).toEqual(wanted);
}
