import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSettings } from '../settings.ts';
import { ingestProducts } from './ingest-products.ts';

const dataDir = join(tmpdir(), 'millrace-never-made');
const load = (updatedAt: string, format = 'amazon') =>
  ingestProducts(readSettings({ dataDir }, {}), {
    path: 'none.csv',
    format,
    categoriesPath: undefined,
    updatedAt,
    waits: true,
  });

test.each(['1', '2023', '1 October 2023', '2023-10-01T12:00', '2023-10-01 12:00Z', '2023-02-30', '2023-13-01', ''])(
  "--updated-at refuses '%s', before anything else is looked at",
  async (text) => {
    await expect(load(text)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `--updated-at wants an ISO 8601 day or time with its zone, as 2023-10-01 or 2023-10-01T12:00:00Z, found '${text}'`,
    });
    expect(existsSync(dataDir)).toBe(false);
  },
);

test.each(['2023-10-01', '2023-10-01T12:00Z', '2023-10-01T12:00:00.123Z', '2023-10-01T00:30:00+02:00', '2024-02-29'])(
  '--updated-at takes %s, and the file is looked at',
  async (text) => {
    await expect(load(text)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  },
);

test('a format that nobody knows and a flag that is not for the format are refused', async () => {
  await expect(load('2023-10-01', 'uci')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: "--format wants one of: amazon, rees46, columns; found 'uci'",
  });
  await expect(load('2023-10-01', 'rees46')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: '--updated-at wants --format amazon or columns, found rees46',
  });
});

const mapped = (flags: Partial<Parameters<typeof ingestProducts>[1]>) =>
  ingestProducts(readSettings({ dataDir }, {}), {
    ...{ path: 'none.csv', format: undefined, categoriesPath: undefined, updatedAt: undefined, waits: true },
    ...flags,
  });

test.each<[Partial<Parameters<typeof ingestProducts>[1]>, string]>([
  [{ columns: 'id=a', currency: '$' }, "--currency wants three capitals, as USD; found '$'"],
  [{ columns: 'id=a', decimal: ';' }, "--decimal wants , or . and found ';'"],
  [{ columns: 'title=a' }, '--columns wants a column for id; found only title'],
  [{ format: 'columns' }, '--format columns wants --columns, as id=asin,title=name; found none'],
  [{ format: 'amazon', columns: 'id=a' }, '--columns wants --format columns, found amazon'],
  [{ format: 'amazon', decimal: ',' }, '--decimal wants --format columns, found amazon'],
])('%j is refused', async (flags, message) => {
  await expect(mapped(flags)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message });
});

test('a column that the file lacks is refused with those it has, before a data folder is made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-mapped-'));
  try {
    const path = join(folder, 'shop.tsv');
    writeFileSync(path, 'sku\tname\n1\ta\n');
    await expect(mapped({ path, columns: 'id=sku,price=cost' })).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: "'shop.tsv' wants a column 'cost' for price, found 'sku', 'name'",
    });
    expect(existsSync(dataDir)).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('without a format and a column map, a file that is no known catalogue is told with its first line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-unknown-'));
  try {
    const path = join(folder, 'shop.csv');
    writeFileSync(path, 'sku,name\n1,a\n');
    await expect(mapped({ path })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        '\'shop.csv\' wants --format, one of: amazon, rees46, columns; its first line fits none of them: "sku,name"',
    });
    await expect(mapped({})).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
