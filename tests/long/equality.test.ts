import { beforeAll, expect, test } from 'vitest';
import { recomputeUci, type Recomputation } from '../../models/recompute/index.ts';
import { runShop, shown, temporaryFolder, uciFiles, writeSlices } from '../equality/shop-run.ts';
import { atFullSize } from '../support/at-full-size.ts';

/**
 * Equal to the batch: 200,000 lines around the turn of the years, as a proof the 1,067,370 of both, through source, log, worker thread and RocksDB, against a
 * recomputation that reads the files alone and states the rules itself (docs/architecture/verify.md).
 */
let files: readonly string[];
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let expected: Recomputation;

beforeAll(async () => {
  folder = await temporaryFolder();
  files = atFullSize ? uciFiles : await writeSlices(folder.path, 100_000);
  expected = await recomputeUci(files);
  return () => folder[Symbol.asyncDispose]();
});

test.each(atFullSize ? [1, 4] : [4])(
  'every row of every table equals the recomputation, %i partition(s)',
  async (partitions) => {
    expect(expected.counts.read).toBe(atFullSize ? 1_067_370 : 200_000);
    await using data = await temporaryFolder();
    const run = await runShop({ dataDir: data.path, files, partitions, expected });
    console.log(shown(run, partitions));
    expect(shown(run, partitions)).toMatch(/Everything compared is equal\.$/);
    expect(run.rejected).toBe(expected.counts.invalid);
    expect(run.comparison.tables.every(({ skipped }) => skipped === undefined)).toBe(true);
  },
);
