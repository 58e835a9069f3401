import { beforeAll, expect, test } from 'vitest';
import { recomputeUci, type Recomputation } from '../../models/recompute/index.ts';
import { runShop, shown, temporaryFolder, uciFiles } from '../equality/shop-run.ts';
import { atFullSize } from '../support/at-full-size.ts';

/**
 * Equal to the batch: all lines of year 2, as a proof the 1,067,370 of both years, through source, log, worker thread and RocksDB, against a
 * recomputation that reads the files alone and states the rules itself (docs/architecture/verify.md).
 */
const files = atFullSize ? uciFiles : uciFiles.slice(1);
let expected: Recomputation;

beforeAll(async () => {
  expected = await recomputeUci(files);
});

test.each(atFullSize ? [1, 4] : [4])(
  'every row of every table equals the recomputation, %i partition(s)',
  async (partitions) => {
    expect(expected.counts.read).toBe(atFullSize ? 1_067_370 : 541_909);
    await using data = await temporaryFolder();
    const run = await runShop({ dataDir: data.path, files, partitions, expected });
    console.log(shown(run, partitions));
    expect(shown(run, partitions)).toMatch(/Everything compared is equal\.$/);
    expect(run.rejected).toBe(expected.counts.invalid);
    expect(run.comparison.tables.every(({ skipped }) => skipped === undefined)).toBe(true);
  },
);
