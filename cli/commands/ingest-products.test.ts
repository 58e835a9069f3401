import { existsSync } from 'node:fs';
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
    message: "--format wants one of: amazon, rees46; found 'uci'",
  });
  await expect(load('2023-10-01', 'rees46')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: '--updated-at wants --format amazon, found rees46',
  });
});
