import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { requires } from '../../tests/support/requires.ts';
import { catalogueFormats } from './catalogue-formats.ts';
import { detectFormat } from './detect-format.ts';
import { eventFormats } from './formats.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-detect-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(content: string | Uint8Array, name = 'file'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const shipped = (path: string) => fileURLToPath(new URL(`../../data/${path}`, import.meta.url));

test.each([
  ['uci-online-retail/year-1.csv.br', 'uci'],
  ['uci-online-retail/year-2.csv.br', 'uci'],
  ['otto/otto_sample_train.jsonl.br', 'otto'],
])('the shipped %s is %s', async (path, format) => {
  expect(await detectFormat(shipped(path), eventFormats)).toBe(format);
});

test('the shipped catalogue is amazon', async () => {
  const path = shipped('amazon-products-2023/amazon_products_us_sample_4960.csv.br');
  expect(await detectFormat(path, catalogueFormats)).toBe('amazon');
});

test.each([
  ['event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\r\n', 'rees46'],
  ['timestamp,visitorid,event,itemid,transactionid\n', 'retailrocket'],
  ['timestamp,visitorid,event,itemid,transactionid,datetime', 'retailrocket'],
  ['"session_id", ts ,item_id\n', 'yoochoose'],
  ['\ufeffInvoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n', 'uci'],
  ['\n\n{"session":1,"events":[]}\n', 'otto'],
  ['type,productId,sessionId\n', 'millrace'],
  ['{"productId":"p","type":"view","userId":"u"}', 'millrace'],
])('%j is %s', async (content, format) => {
  expect(await detectFormat(write(content), eventFormats)).toBe(format);
  expect(await detectFormat(write(gzipSync(content), 'file.gz'), eventFormats)).toBe(format);
});

test.each(['', '\n \n', 'a,b\n1,2\n', '{"session":1', '{}', '[1]', 'timestamp,visitorid,event', '\x00\xff\xfe'])(
  '%j is none, which is told with what was seen and what there is',
  async (content) => {
    const line = content.trim().split('\n')[0]!;
    await expect(detectFormat(write(content), eventFormats)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `'file' wants --format, one of: uci, rees46, retailrocket, yoochoose, otto, millrace; its first line fits none of them: ${line === '' ? 'nothing' : JSON.stringify(line)}`,
    });
  },
);

test('a line that fits several is told with those', async () => {
  const any = { fits: () => true };
  await expect(detectFormat(write('a'), { one: any, two: any, three: { fits: () => false } })).rejects.toMatchObject({
    message: '\'file\' wants --format, one of: one, two, three; its first line fits one and two: "a"',
  });
});

const data = requires('test-data', 'reads data sets that may not ship');
data.test('the published files are what they are', async () => {
  const detect = (path: string) => detectFormat(join(process.env['MILLRACE_TEST_DATA']!, path), eventFormats);
  expect(await detect('rees46/2019-Oct_excerpt.csv')).toBe('rees46');
  expect(await detect('retailrocket/sample_events.csv')).toBe('retailrocket');
  expect(await detect('yoochoose/clicks_first200k_filtered.csv.gz')).toBe('yoochoose');
});
