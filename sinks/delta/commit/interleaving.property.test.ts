import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isMillraceError } from '../../../schemas/errors.ts';
import { DeltaTable, type Row, tableSchema } from '../index.ts';
import { allOf, temporaryFolders } from '../temporary-folder.testing.ts';

const newFolder = temporaryFolders();
const schema = tableSchema({ id: 'long', by: 'string' });

const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), id: fc.bigInt(0n, 9n) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('upsert' as const), id: fc.bigInt(0n, 9n) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id: fc.bigInt(0n, 9n) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('optimize' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Each writer goes through its operations, all at once. Whoever comes first is decided by nothing but the log. */
it('writers at once leave what their commits give one after the other, in the order of the log', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 3 }),
      fc.boolean(),
      async (writers, vectors) => {
        const folder = newFolder();
        const properties = vectors ? { 'delta.enableDeletionVectors': 'true' } : {};
        await using first = await DeltaTable.create(folder, { schema, properties });
        const byName = new Map<string, Operation>();
        await Promise.all(
          writers.map(async (operations, writer) => {
            await using table = await DeltaTable.open(folder);
            for (const [at, each] of operations.entries()) {
              byName.set(`${writer}.${at}`, each);
              await carryOut(table, each, `${writer}.${at}`);
            }
          }),
        );
        await first.refresh();
        let model: Row[] = [];
        for (const { commitInfo } of (await first.history()).toReversed()) {
          const name = commitInfo.userMetadata;
          const done = name === undefined ? undefined : byName.get(name);
          if (done !== undefined) model = after(model, done, name!);
        }
        const texts = (rows: readonly Row[]): string[] => rows.map(({ id, by }) => `${id} ${by}`).toSorted();
        expect(texts(await allOf(first.read()))).toEqual(texts(model));
        await using anew = await DeltaTable.open(folder);
        expect(texts(await allOf(anew.read()))).toEqual(texts(model));
      },
    ),
    { numRuns: 12 },
  );
}, 180_000);

async function carryOut(table: DeltaTable, operation: Operation, userMetadata: string): Promise<void> {
  try {
    switch (operation.kind) {
      case 'append':
        await table.append([{ id: operation.id, by: userMetadata }], { userMetadata });
        return;
      case 'upsert':
        // Of several rows with a key, which appends may have made, all give way to the one.
        await table.upsert([{ id: operation.id, by: userMetadata }], { key: ['id'], buckets: 2, userMetadata });
        return;
      case 'delete':
        await table.delete([{ column: 'id', op: '=', value: operation.id }], { userMetadata });
        return;
      case 'optimize':
        await table.optimize();
        return;
      case 'checkpoint':
        await table.checkpoint();
    }
  } catch (error) {
    // Given up after many tries: it did nothing, and the log does not have it.
    if (!isMillraceError(error, 'TABLE_CONFLICT')) throw error;
  }
}

function after(rows: readonly Row[], operation: Operation, by: string): Row[] {
  if (!('id' in operation)) return [...rows];
  const row: Row = { id: operation.id, by };
  const others = rows.filter(({ id }) => id !== operation.id);
  return operation.kind === 'append' ? [...rows, row] : operation.kind === 'upsert' ? [...others, row] : others;
}
