import { beforeAll, expect, test } from 'vitest';
import { recomputeUci, type Recomputation } from '../../models/recompute/index.ts';
import { runShop, shown, temporaryFolder, uciFiles } from '../equality/shop-run.ts';

/**
 * Equal to the batch: all 1,067,370 lines of both years through source, log, worker thread and RocksDB, against a
 * recomputation that reads the files alone and states the rules itself (docs/architecture/verify.md).
 */
let expected: Recomputation;

beforeAll(async () => {
  expected = await recomputeUci(uciFiles);
});

test.each([1, 4])(
  'every row of every table equals the recomputation of both years, %i partition(s)',
  async (partitions) => {
    expect(expected.counts.read).toBe(1_067_370);
    await using data = await temporaryFolder();
    const run = await runShop({ dataDir: data.path, files: uciFiles, partitions, expected });
    console.log(shown(run, partitions));
    expect(shown(run, partitions)).toMatch(/Everything compared is equal\.$/);
    expect(run.rejected).toBe(expected.counts.invalid);
    expect(run.comparison.tables.every(({ skipped }) => skipped === undefined)).toBe(true);
  },
);
