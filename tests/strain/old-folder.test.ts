import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Host } from '../../serving/host/index.ts';
import { judge } from '../kill/verdict.ts';

/**
 * A data folder that release 0.1.0 (format 1) wrote: 840 events over HTTP into two partitions, and one that was refused.
 * `acknowledged.json` has the ids that its producers had an answer for.
 */
const archive = fileURLToPath(new URL('testdata/format-1.tar.gz', import.meta.url));
let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-old-folder-'));
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  dataDir = join(folder, 'data');
});

afterEach(() => rmSync(folder, { recursive: true }));

async function openAndRun(): Promise<readonly { readonly from: number; readonly to: number }[]> {
  await using host = await Host.open({ dataDir });
  expect(host.partitions).toBe(2);
  await host.request<'caughtUp'>({ kind: 'caughtUp' });
  return host.migrated;
}

const format = (): unknown => JSON.parse(readFileSync(join(dataDir, 'format.json'), 'utf8'));

test('a folder of format 1 is migrated when it is opened, and its state computed anew from its events', async () => {
  expect(format()).toEqual({ format: 1 });
  expect(await openAndRun()).toMatchObject([
    { from: 1, to: 2 },
    { from: 2, to: 3 },
  ]);
  expect(format()).toEqual({ format: 3 });
  expect(await openAndRun()).toEqual([]);
  const acknowledged = JSON.parse(readFileSync(join(folder, 'acknowledged.json'), 'utf8')) as string[];
  const { problems, counts } = await judge(dataDir, { events: new Set(acknowledged), versions: new Set() });
  expect(problems).toEqual([]);
  expect(counts.clean).toBe(840);
});

test('a migration that was interrupted before its number was written runs again', async () => {
  await openAndRun();
  writeFileSync(join(dataDir, 'format.json'), '{"format":1}');
  expect(await openAndRun()).toMatchObject([
    { from: 1, to: 2 },
    { from: 2, to: 3 },
  ]);
  const { problems, counts } = await judge(dataDir, { events: new Set(), versions: new Set() });
  expect(problems).toEqual([]);
  expect(counts.clean).toBe(840);
});
