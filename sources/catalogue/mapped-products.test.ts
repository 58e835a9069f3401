import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import type { Product } from '../../schemas/index.ts';
import type { SourceReject } from '../event-source.ts';
import { openAmazonProducts } from './amazon-products.ts';
import { parseColumnMap } from './column-map.ts';
import { type MappedOptions, openMappedProducts } from './mapped-products.ts';
import type { ProductSource } from './product-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-mapped-'));
afterAll(() => rmSync(folder, { recursive: true }));

const updatedAtMs = Date.UTC(2023, 9, 1);

async function read(source: ProductSource) {
  const products: Product[] = [];
  const lines: number[] = [];
  const rejects: SourceReject[] = [];
  const unusable: Record<string, number> = {};
  for await (const batch of source.batches()) {
    products.push(...batch.products);
    lines.push(...batch.lines);
    rejects.push(...batch.rejects);
    for (const [field, count] of Object.entries(batch.unusable)) unusable[field] = (unusable[field] ?? 0) + count;
  }
  return { products, lines, rejects, unusable };
}

type Rest = Omit<MappedOptions, 'columns'>;

async function load(content: string | Uint8Array, columns: string, options: Rest = { updatedAtMs }, name = 'shop.csv') {
  const path = join(folder, name);
  writeFileSync(path, content);
  return await read(await openMappedProducts(path, { columns: parseColumnMap(columns), ...options }));
}

test("Amazon's shipped sample by a column map is what its own format reads, but for the categories' names", async () => {
  const sample = fileURLToPath(
    new URL('../../data/amazon-products-2023/amazon_products_us_sample_4960.csv.br', import.meta.url),
  );
  const columns = parseColumnMap(
    'id=asin,title=title,price=price,listPrice=listPrice,stars=stars,reviews=reviews,bestSeller=isBestSeller,imageUrl=imgUrl,url=productURL',
  );
  const mapped = await read(await openMappedProducts(sample, { columns, currency: 'USD', updatedAtMs }));
  const { products } = await read(await openAmazonProducts(sample, { updatedAtMs }));
  expect(mapped.products).toEqual(products.map((product) => ({ ...product, category: null })));
  expect([mapped.rejects, mapped.unusable]).toEqual([[], {}]);
});

test('prices as shops write them, with their currency; columns that are not named do not matter', async () => {
  const { products, rejects, unusable } = await load(
    [
      'product_id,product_name,category,actual_price,discounted_price,rating,rating_count,about',
      `B1,"Cable, 1 m",Cables|USB,"₹1,999",₹399,4.2,"24,269",${'x'.repeat(5000)}`,
      'B2,,,"₹ 1,23,456.00",-,N/A,,',
      'B3,null,,€ 5,,4.333,123.0,',
    ].join('\r\n'),
    'id=product_id,title=product_name,category=category,listPrice=actual_price,price=discounted_price,stars=rating,reviews=rating_count',
  );
  expect(products).toMatchObject([
    { id: 'B1', title: 'Cable, 1 m', category: 'Cables|USB', price: 3_990_000, listPrice: 19_990_000, currency: 'INR' },
    { id: 'B2', title: null, category: null, price: null, listPrice: 1_234_560_000, currency: 'INR', stars: null },
    { id: 'B3', title: null, listPrice: 50_000, currency: 'EUR', stars: 433, reviews: 123, updatedAt: updatedAtMs },
  ]);
  expect(products.slice(0, 2)).toMatchObject([
    { stars: 420, reviews: 24_269, active: true, bestSeller: false },
    { reviews: 0 },
  ]);
  expect([rejects, unusable]).toEqual([[], {}]);
});

test('the currency is that for all, else the column of it, else that of a sign', async () => {
  const rows = 'id,p,c\n1,$5,\n2,€5,CHF\n3,5,\n';
  const currencies = async (columns: string, options: Rest) =>
    (await load(rows, columns, options)).products.map(({ currency }) => currency);
  expect(await currencies('id=id,price=p', {})).toEqual([null, 'EUR', null]);
  expect(await currencies('id=id,price=p,currency=c', {})).toEqual([null, 'CHF', null]);
  expect(await currencies('id=id,price=p,currency=c', { currency: 'USD' })).toEqual(['USD', 'USD', 'USD']);
});

test('tab, comma and semicolon; plain, gzip and Brotli; a decimal mark that is given', async () => {
  const table = (delimiter: string) =>
    ['', 'Id', 'Preis, netto', 'x;y'].join(delimiter) + '\n' + ['0', 'A', '1.999', ''].join(delimiter);
  const quoted = (delimiter: string) =>
    table(delimiter).replace('Preis, netto', '"Preis, netto"').replace('x;y', '"x;y"');
  const columns = 'id=Id,price="Preis, netto"';
  const options = { decimalMark: ',' } as const;
  for (const content of [table('\t'), quoted(','), quoted(';')]) {
    expect((await load(content, columns, options)).products).toMatchObject([{ id: 'A', price: 19_990_000 }]);
  }
  expect((await load(gzipSync(quoted(';')), columns, options, 'shop.csv.gz')).products).toHaveLength(1);
  expect((await load(brotliCompressSync(`\ufeff${table('\t')}`), columns, {}, 'shop.tsv.br')).products).toMatchObject([
    { price: 19_990 },
  ]);
});

test('what a column may not hold is unknown and counted, and never costs the product', async () => {
  const long = 'x'.repeat(4097);
  const { products, rejects, unusable } = await load(
    [
      'i,t,c,p,l,s,r,b,img,u,a,at,cur',
      `1,${long},${long},-5,1.00001,5.1,-1,maybe,${long},${long},2,2023-02-30,usd`,
      '2,t,c,5%,5-7,-1,1.5,YES,i,u,no,9999-01-01,EUR',
      '3,t,c,0,1e3,120%,₹5,0,i,u,T,2023-10-01 12:00,EUR',
      '4,t,c,0.00,0,90%,7,f,i,u,F,1696118400,EUR',
      '5,t,c,0.00,0,0,7,n,i,u,F,1696118400000,EUR',
    ].join('\n'),
    'id=i,title=t,category=c,price=p,listPrice=l,stars=s,reviews=r,bestSeller=b,imageUrl=img,url=u,active=a,updatedAt=at,currency=cur',
  );
  expect(rejects).toEqual([]);
  expect(products[0]).toEqual({
    id: '1',
    title: null,
    category: null,
    price: null,
    listPrice: null,
    currency: null,
    stars: null,
    reviews: 0,
    bestSeller: false,
    imageUrl: null,
    url: null,
    active: true,
    updatedAt: updatedAtMs,
  });
  expect(products.slice(1)).toMatchObject([
    { price: null, listPrice: null, stars: null, reviews: 0, bestSeller: true, active: false, updatedAt: updatedAtMs },
    { price: null, listPrice: null, stars: null, reviews: 0, active: true, updatedAt: Date.UTC(2023, 9, 1, 12) },
    { price: null, listPrice: null, stars: 450, reviews: 7, active: false, updatedAt: Date.UTC(2023, 9, 1) },
    { stars: null, updatedAt: Date.UTC(2023, 9, 1) },
  ]);
  expect(unusable).toEqual({
    ...{ title: 1, category: 1, price: 2, listPrice: 3, stars: 3, reviews: 3, bestSeller: 1 },
    ...{ imageUrl: 1, url: 1, active: 1, updatedAt: 2, currency: 1 },
  });
});

test('no id, an id that comes again, one that is too long, and a torn row are rejects', async () => {
  const { products, lines, rejects } = await load(
    ['id\ttitle', 'A\tfirst', '\tnone', 'A\tagain', `${'x'.repeat(201)}\tlong`, 'B', 'C\t"torn', 'D\tlast'].join('\n'),
    'id=id,title=title',
  );
  expect(products.map(({ id, title }) => [id, title])).toEqual([
    ['A', 'first'],
    ['D', 'last'],
  ]);
  expect(lines).toEqual([2, 8]);
  expect(rejects.map(({ file, line, rule }) => `${file} ${line} ${rule}`)).toEqual([
    'shop.csv 3 id',
    'shop.csv 4 duplicate',
    'shop.csv 5 field',
    'shop.csv 6 columns',
    'shop.csv 7 torn',
  ]);
});

test('a column that is missing or stands twice, a currency and a time that cannot be are heard when the file is opened', async () => {
  const path = join(folder, 'header.csv');
  writeFileSync(path, 'asin;name;name;price\nA;a;b;1\n');
  const open = (columns: string, options: Rest = {}) =>
    openMappedProducts(path, { columns: parseColumnMap(columns), ...options });
  await expect(open('id=asin,price=cost')).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: "'header.csv' wants a column 'cost' for price, found 'asin', 'name', 'name', 'price'",
  });
  await expect(open('id=asin,title=name')).rejects.toMatchObject({
    message: "'header.csv' wants one column 'name' for title, found 'asin', 'name', 'name', 'price'",
  });
  await expect(open('id=asin', { currency: 'dollar' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(open('id=asin', { updatedAtMs: Date.now() + 3_600_000 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  writeFileSync(path, '');
  await expect(open('id=asin')).rejects.toMatchObject({
    message: "'header.csv' wants a column 'asin' for id, found nothing",
  });
});
