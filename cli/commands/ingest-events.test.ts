import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readSettings } from '../settings.ts';
import { ingestEvents } from './ingest-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-ingest-'));
afterAll(() => rmSync(folder, { recursive: true }));

const dataDir = join(folder, 'data');
const settings = readSettings({ dataDir }, {});

function ingest(path: string, format: string | undefined = 'uci'): Promise<number> {
  return ingestEvents(settings, { path, format, waits: true });
}

test('what cannot be a file of events is refused before a data folder is made', async () => {
  const missing = join(folder, 'none.csv');
  await expect(ingest(missing)).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: `'${missing}' wants to be a file of events, found nothing`,
  });
  await expect(ingest(folder)).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: `'${folder}' wants to be a file of events, found a folder`,
  });
  await expect(ingest(missing, 'csv')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: "--format wants one of: uci, rees46, retailrocket, yoochoose, otto, millrace; found 'csv'",
  });
  expect(existsSync(dataDir)).toBe(false);
});

test('a file with another header is refused with the columns that were wanted', async () => {
  const path = join(folder, 'other.csv');
  writeFileSync(path, 'a,b,c\n1,2,3\n');
  await expect(ingest(path)).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: expect.stringMatching(/^'other.csv' wants the columns Invoice or .*; found "a,b,c"$/) as string,
  });
});
