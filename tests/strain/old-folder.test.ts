import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Host } from '../../serving/host/index.ts';
import { dataFolderFormat } from '../../state/index.ts';
import { judge } from '../kill/verdict.ts';

/**
 * Data folders that earlier programs wrote, in two partitions each:
 *
 *     format-1.tar.gz   release 0.1.0: 840 events over HTTP, and one that was refused; `acknowledged.json` has the ids that
 *                       its producers had an answer for
 *     format-2.tar.gz   the last program before `title-words`: 486 events and 17 versions of products over HTTP
 */
const archive = (name: string): string => fileURLToPath(new URL(`testdata/${name}.tar.gz`, import.meta.url));
let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-old-folder-'));
  unpack('format-1');
  dataDir = join(folder, 'data');
});

afterEach(() => rmSync(folder, { recursive: true }));

function unpack(name: string): void {
  execFileSync('tar', ['-xzf', archive(name), '-C', folder]);
}

async function openAndRun(): Promise<readonly { readonly from: number; readonly to: number }[]> {
  await using host = await Host.open({ dataDir });
  expect(host.partitions).toBe(2);
  await host.request<'caughtUp'>({ kind: 'caughtUp' });
  return host.migrated;
}

const format = (): unknown => JSON.parse(readFileSync(join(dataDir, 'format.json'), 'utf8'));

/** All steps to today's format. */
function stepsFrom(format: number): object[] {
  return Array.from({ length: dataFolderFormat - format }, (_, at) => ({ from: format + at, to: format + at + 1 }));
}

test('a folder of format 1 is migrated when it is opened, and its state computed anew from its events', async () => {
  expect(format()).toEqual({ format: 1 });
  expect(await openAndRun()).toMatchObject(stepsFrom(1));
  expect(format()).toEqual({ format: dataFolderFormat });
  expect(await openAndRun()).toEqual([]);
  const acknowledged = JSON.parse(readFileSync(join(folder, 'acknowledged.json'), 'utf8')) as string[];
  const { problems, counts } = await judge(dataDir, { events: new Set(acknowledged), versions: new Set() });
  expect(problems).toEqual([]);
  expect(counts.clean).toBe(840);
});

test('a migration that was interrupted before its number was written runs again', async () => {
  await openAndRun();
  writeFileSync(join(dataDir, 'format.json'), '{"format":1}');
  expect(await openAndRun()).toMatchObject(stepsFrom(1));
  const { problems, counts } = await judge(dataDir, { events: new Set(), versions: new Set() });
  expect(problems).toEqual([]);
  expect(counts.clean).toBe(840);
});

test('a folder of format 2 gets the words of its titles, from what it holds, also when that was interrupted', async () => {
  rmSync(dataDir, { recursive: true });
  unpack('format-2');
  expect(format()).toEqual({ format: 2 });
  expect(await openAndRun()).toMatchObject(stepsFrom(2));
  expect(format()).toEqual({ format: dataFolderFormat });
  const { problems, counts } = await judge(dataDir, { events: new Set(), versions: new Set() });
  expect(problems).toEqual([]);
  expect(counts.clean).toBe(486);
  writeFileSync(join(dataDir, 'format.json'), '{"format":2}');
  expect(await openAndRun()).toMatchObject(stepsFrom(2));
  expect((await judge(dataDir, { events: new Set(), versions: new Set() })).problems).toEqual([]);
});
