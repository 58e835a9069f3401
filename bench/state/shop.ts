import { execFile } from 'node:child_process';
import { copyFileSync, createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';
import type { Interaction } from '../../schemas/index.ts';
import { StoredRows } from '../../serving/host/stored-rows.ts';
import { Host } from '../../serving/index.ts';
import { InteractionStream, openAmazonProducts, type CatalogueEntry } from '../../sources/index.ts';

const shipped = fileURLToPath(new URL('../../data/amazon-products-2023/', import.meta.url));
const bin = fileURLToPath(new URL('../../dist/cli/bin.mjs', import.meta.url));
const run = promisify(execFile);

/** A catalogue file of so many rows: those of the shipped sample again and again, each with an id of its own. */
export async function writeCatalogue(folder: string, rows: number): Promise<string> {
  const sample = brotliDecompressSync(readFileSync(join(shipped, 'amazon_products_us_sample_4960.csv.br')));
  const [header, ...lines] = sample.toString().trimEnd().split('\n');
  const path = join(folder, 'products.csv');
  copyFileSync(join(shipped, 'amazon_categories.csv.br'), join(folder, 'amazon_categories.csv.br'));
  const text = function* () {
    yield `${header}\n`;
    for (let row = 0; row < rows; row++) {
      const line = lines[row % lines.length]!;
      yield `T${String(row).padStart(9, '0')}${line.slice(line.indexOf(','))}\n`;
    }
  };
  await pipeline(Readable.from(text()), createWriteStream(path));
  return path;
}

/** Into the log of a data folder, which is made. */
export async function loadCatalogue(path: string, dataDir: string): Promise<void> {
  await run(process.execPath, [bin, 'ingest', 'products', path, '--data-dir', dataDir]);
}

/** Interactions of a generated shop over the catalogue, the same at every run. */
export async function* interactions(path: string, users: number): AsyncGenerator<Interaction, void, undefined> {
  const entries: CatalogueEntry[] = [];
  for await (const { products } of (await openAmazonProducts(path)).batches()) {
    for (const { id, category, price } of products) entries.push({ id, category, price });
  }
  const stream = new InteractionStream(entries, { users, eventsPerDay: 1_000_000, productsMean: 12 });
  for (const { events } of stream.minutes()) yield* events;
}

/** Rows of the pair tables: an item, a relation and a neighbour each. */
export async function countPairs(dataDir: string): Promise<number> {
  await using host = await Host.open({ dataDir, runs: false });
  let pairs = 0;
  for await (const { value } of new StoredRows(host).of('pairs')) pairs += value.size;
  return pairs;
}
