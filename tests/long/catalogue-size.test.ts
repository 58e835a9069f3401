import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { millrace } from '../startup/millrace-process.ts';

/** As many rows as the published file has. */
const rows = 1_426_337;
const peakMiBMax = 1024;

const shipped = fileURLToPath(new URL('../../data/amazon-products-2023/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-catalogue-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The rows of the sample again and again, each with an asin of its own. */
function* manyRows(): Generator<string> {
  const sample = brotliDecompressSync(readFileSync(join(shipped, 'amazon_products_us_sample_4960.csv.br')));
  const [header, ...lines] = sample.toString().trimEnd().split('\n');
  yield `${header}\n`;
  for (let row = 0; row < rows; row++) {
    const line = lines[row % lines.length]!;
    yield `T${String(row).padStart(9, '0')}${line.slice(line.indexOf(','))}\n`;
  }
}

test(`a catalogue of ${rows} rows is loaded within ${peakMiBMax} MiB`, async () => {
  const file = join(folder, 'products.csv');
  await pipeline(Readable.from(manyRows()), createWriteStream(file));
  await copyFile(join(shipped, 'amazon_categories.csv.br'), join(folder, 'amazon_categories.csv.br'));
  const { code, stdout } = await millrace([
    'ingest',
    'products',
    file,
    '--no-wait',
    '--data-dir',
    join(folder, 'data'),
  ]);
  console.log(stdout);
  expect(code).toBe(0);
  expect(stdout).toContain('1,426,337 products accepted, 0 rows rejected');
  const peak = /Peak memory ([\d,]+) MiB/.exec(stdout)?.[1]?.replaceAll(',', '');
  expect(Number(peak)).toBeLessThanOrEqual(peakMiBMax);
});
