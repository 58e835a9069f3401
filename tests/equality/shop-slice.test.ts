import { beforeAll, expect, test } from 'vitest';
import { recomputeUci, type Recomputation } from '../../models/recompute/index.ts';
import { runShop, shown, temporaryFolder, writeSlices } from './shop-run.ts';

/** The short form of tests/long/equality.test.ts: 60,000 lines around the turn of the two files. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let files: readonly string[];
let expected: Recomputation;

beforeAll(async () => {
  folder = await temporaryFolder();
  files = await writeSlices(folder.path, 30_000);
  expected = await recomputeUci(files);
  return () => folder[Symbol.asyncDispose]();
}, 60_000);

test('the slice holds what the rules are about: repeats of the other file, unusable lines, services, anonymous lines', () => {
  const { duplicates, invalid, accepted } = expected.counts;
  expect(duplicates).toBeGreaterThan(20_000);
  expect(invalid).toBeGreaterThan(0);
  expect(accepted + duplicates + invalid).toBe(60_000);
  expect([...expected.productStats.values()].some(({ service }) => service)).toBe(true);
});

test.each([1, 4])(
  'events that went through the embedded system leave every row that a recomputation gives, %i partition(s)',
  async (partitions) => {
    await using data = await temporaryFolder();
    const run = await runShop({ dataDir: data.path, files, partitions, expected });
    expect(shown(run, partitions)).toMatch(/Everything compared is equal\.$/);
    expect(run.rejected).toBe(expected.counts.invalid);
    expect(run.comparison.tables.every(({ skipped }) => skipped === undefined)).toBe(true);
  },
  120_000,
);
