import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Comparable, DeltaTable, type Filter, type Row, tableSchema } from '../index.ts';
import { allOf, temporaryFolders } from '../temporary-folder.testing.ts';

const newFolder = temporaryFolders();

/** Values near each other and at the edges, where a bound that is off by one would show. */
const values = {
  integer: fc.constantFrom(-2_147_483_648, -1, 0, 1, 2, 2_147_483_647),
  long: fc.constantFrom(-(2n ** 63n), -1n, 0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n),
  double: fc.constantFrom(Number.NEGATIVE_INFINITY, -1.5, -0, 0, 0.1, 1e308, Number.POSITIVE_INFINITY, Number.NaN),
  float: fc.constantFrom(Math.fround(0.1), Math.fround(0.3), 0, -1),
  string: fc.constantFrom(
    'a',
    'b',
    'z'.repeat(32),
    'z'.repeat(33),
    `${'z'.repeat(32)}\u{10ffff}`,
    `${'z'.repeat(32)}é`,
    '\u{ffff}',
    '\u{1f600}',
    "it's",
    'A',
  ),
  date: fc.constantFrom('1969-12-31', '1970-01-01', '2026-11-29', '9999-12-31', '0001-01-01'),
  timestamp: fc.constantFrom(-1n, 0n, 1n, 999n, 1000n, 1_764_374_400_123_456n, 1_764_374_400_123_000n),
  'decimal(5,2)': fc.constantFrom('-1.00', '0.00', '0.01', '999.99', '1.10'),
  'decimal(38,10)': fc.constantFrom(
    '0.0000000001',
    '1234567890123456789012345678.0123456789',
    '1234567890123456789012345678.0123456788',
  ),
  boolean: fc.boolean(),
} as const;
type Type = keyof typeof values;
const types = Object.keys(values) as Type[];

const cases = fc.constantFrom(...types).chain((type) => {
  const value = values[type] as fc.Arbitrary<Comparable>;
  const filter: fc.Arbitrary<Filter> = fc.oneof(
    fc.record({
      column: fc.constant('v'),
      op: fc.constantFrom('=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const),
      value,
    }),
    fc.record({ column: fc.constant('v'), op: fc.constant('in' as const), values: fc.array(value, { maxLength: 3 }) }),
    fc.record({ column: fc.constant('v'), op: fc.constantFrom('is null' as const, 'is not null' as const) }),
  );
  return fc.record({
    type: fc.constant(type),
    files: fc.array(fc.array(fc.option(value), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    filters: fc.array(filter, { minLength: 1, maxLength: 5 }),
    partitioned: fc.boolean(),
  });
});

/** What the filter means, as DuckDB has it: evaluated over one file that has no statistics to go by. */
it('a filter finds the same rows with statistics and partitions as without', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ type, files, filters, partitioned }) => {
      const schema = tableSchema({ id: 'long', v: type });
      await using table = await DeltaTable.create(newFolder(), { schema, partitionColumns: partitioned ? ['v'] : [] });
      await using plain = await DeltaTable.create(newFolder(), {
        schema,
        properties: { 'delta.dataSkippingNumIndexedCols': '0' },
      });
      let id = 0n;
      const all: Row[] = [];
      for (const file of files) {
        const rows = file.map((v): Row => ({ id: id++, v }));
        await table.append(rows);
        all.push(...rows);
      }
      await plain.append(all);
      for (const filter of filters) {
        const [found, wanted] = await Promise.all(
          [table, plain].map((each) => allOf(each.read({ filters: [filter] }))),
        );
        const ids = (rows: readonly Row[]): bigint[] =>
          rows.map((row) => row['id'] as bigint).toSorted((l, r) => (l < r ? -1 : 1));
        expect(ids(found!)).toEqual(ids(wanted!));
      }
    }),
    { numRuns: 30 },
  );
}, 180_000);
