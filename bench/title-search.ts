/**
 * Searches over the titles of a large catalogue, asked of the store alone: no HTTP, nothing else going on.
 *
 *     npx tsx bench/title-search.ts [products = 1400000] [partitions = 1]
 *
 * Titles are the first half of one title of the Amazon sample (data/amazon-products-2023) and the second half of another, so
 * that words are as frequent as there; one product in twenty has been bought or viewed, few of them often. A query is asked
 * thirty times; printed are the median and the slowest, the first one with cold
 * caches included, and the processor time of one, which says most while others use the machine.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import {
  newProductStats,
  partitionOfItem,
  storeNames,
  storeSerdes,
  titleKeys,
  titleListing,
} from '../processors/index.ts';
import type { Product } from '../schemas/index.ts';
import { titleSearch } from '../serving/host/title-search.ts';
import { concatBytes, openDataFolder, WriteBatchBuilder } from '../state/index.ts';

const products = Number(process.argv[2] ?? 1_400_000);
const partitions = Number(process.argv[3] ?? 1);
const queries = [
  ...['lamp', 'red lam', 'red lamp', 'women shoes bl', 'the', 'for', 'for wom', 'black', 'black le', 'usb c charger'],
  ...['wireless blue', 'kids backpack sch', 'zzz', 'for with', 's', 'st', 'sta', 'led l', 'nike running sho', '12'],
];

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-search-'));
try {
  const engine = await openDataFolder(folder);
  const rows = await fill(engine);
  await engine.flush();
  const { diskBytes } = await engine.stats();
  print(
    `${products} products, ${rows} rows of title-words, ${Math.round(diskBytes / 2 ** 20)} MiB with the products' rows`,
  );
  print('query                  found  truncated  median ms  slowest ms  cpu ms');
  for (const query of queries) {
    const times: number[] = [];
    let found = '';
    const before = process.cpuUsage();
    for (let turn = 0; turn < 30; turn += 1) {
      await using snapshot = engine.snapshot();
      const begun = performance.now();
      const answer = await titleSearch(
        snapshot,
        { query, limit: 20, inactive: false },
        { partitions, partitionsHere: Array.from({ length: partitions }, (_, at) => at), prefixOf },
      );
      times.push(performance.now() - begun);
      found = `${String(answer.products.length).padStart(5)}  ${String(answer.truncated).padEnd(9)}`;
    }
    const { user, system } = process.cpuUsage(before);
    times.sort((a, b) => a - b);
    print(
      `${query.padEnd(21)}  ${found}  ${times[15]!.toFixed(1).padStart(9)}  ${times.at(-1)!.toFixed(1).padStart(10)}  ${((user + system) / 30_000).toFixed(1).padStart(6)}`,
    );
  }
  await engine[Symbol.asyncDispose]();
} finally {
  await rm(folder, { recursive: true });
}

async function fill(engine: Awaited<ReturnType<typeof openDataFolder>>): Promise<number> {
  const titles = await sampleTitles();
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let rows = 0;
  let batch = new WriteBatchBuilder();
  for (let at = 0; at < products; at += 1) {
    const id = `B${at.toString(36).toUpperCase().padStart(9, '0')}`;
    const partition = partitionOfItem(id, partitions);
    const [first, second] = [titles[random(titles.length)]!, titles[random(titles.length)]!];
    const title = `${first.slice(0, first.length / 2)} ${second.slice(second.length / 2)}`;
    const purchases = random(20) === 0 ? Math.floor(20_000 / (1 + random(20_000))) : 0;
    const product: Product = {
      ...{ id, title, category: 'c', price: 5, listPrice: null, currency: null, stars: null, reviews: 0 },
      ...{ bestSeller: false, imageUrl: null, url: null, active: true, updatedAt: 1 },
    };
    const stats = { ...newProductStats(), purchases, views: purchases * random(30) };
    const key = Buffer.from(id);
    batch.put(
      'state',
      rowKey(storeNames.products, partition, key),
      storeSerdes.products.value.serialize(product).slice(),
    );
    if (purchases > 0) {
      const value = storeSerdes['product-stats'].value.serialize(stats).slice();
      batch.put('state', rowKey(storeNames.productStats, partition, key), value);
    }
    for (const words of titleKeys(id, titleListing({ product, titles: undefined, stats }))) {
      batch.put('state', rowKey(storeNames.titleWords, partition, Buffer.from(words)), new Uint8Array());
      rows += 1;
    }
    if (batch.bytes < 4 * 2 ** 20) continue;
    batch.seal();
    await engine.write(batch);
    batch = new WriteBatchBuilder();
  }
  batch.seal();
  await engine.write(batch);
  return rows;
}

function rowKey(store: string, partition: number, key: Uint8Array): Uint8Array {
  return concatBytes(prefixOf(store, partition), key);
}

function prefixOf(store: string, partition: number): Uint8Array {
  return Uint8Array.of(0, Object.values(storeNames).indexOf(store as 'products'), 0, partition);
}

async function sampleTitles(): Promise<string[]> {
  const path = new URL('../data/amazon-products-2023/amazon_products_us_sample_4960.csv.br', import.meta.url);
  const lines = brotliDecompressSync(await readFile(path))
    .toString()
    .split('\n')
    .slice(1);
  return lines.flatMap((line) => /^[^,]*,(?:"((?:[^"]|"")*)"|([^,]*)),/.exec(line)?.slice(1).find(Boolean) ?? []);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
