import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { partitionForKey } from '../../log/index.ts';
import { avroSerde, openEmbeddedRegistry, productSchema, type Product } from '../../schemas/index.ts';
import type { IngestTarget } from '../ingest.ts';
import { openAmazonProducts } from './amazon-products.ts';
import { ingestProducts } from './ingest-products.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-ingest-products-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a product is keyed by its id and dated by updatedAt; a reject has the same id at every load', async () => {
  writeFileSync(join(folder, 'amazon_categories.csv'), 'id,category_name\n1,Toys\n');
  const path = join(folder, 'products.csv');
  const header =
    'asin,title,imgUrl,productURL,stars,reviews,price,listPrice,category_id,isBestSeller,boughtInLastMonth';
  writeFileSync(path, `${header}\nA,a,,,4.5,1,1.5,0.0,1,False,0\nB,b\n`);
  const serde = await avroSerde<Product>(await openEmbeddedRegistry(folder), {
    subject: 'products.history-value',
    schema: productSchema,
  });
  const load = async () => {
    const records: Parameters<IngestTarget['appendEvents']>[0][number][] = [];
    const letterIds: string[] = [];
    const target: IngestTarget = {
      partitions: 4,
      appendEvents: async (appended) => void records.push(...appended),
      appendDeadLetters: async (letters) => void letterIds.push(...letters.map(({ id }) => id)),
    };
    const source = await openAmazonProducts(path, { updatedAtMs: 1_700_000_000_000 });
    const { events, rejected } = await ingestProducts({ source, target, serde });
    expect([events, rejected]).toEqual([1, 1]);
    return { records, letterIds };
  };
  const { records, letterIds } = await load();
  const [record] = records;
  expect(record!.timestamp).toBe(1_700_000_000_000);
  expect(Buffer.from(record!.key!).toString()).toBe('A');
  expect(record!.partition).toBe(partitionForKey(Buffer.from('A'), 4));
  expect(serde.deserialize(record!.value!)).toMatchObject({ id: 'A', category: 'Toys', price: 15_000, stars: 450 });
  expect(await load()).toEqual({ records, letterIds });
});
