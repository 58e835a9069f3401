import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { Host } from '../../serving/host/index.ts';
import { startServer } from '../../serving/index.ts';
import { run } from '../../cli/program.ts';
import { noteOwner, restoreBackup, type BackupManifest } from '../../state/index.ts';
import { HttpProducers, type Acknowledged } from '../kill/http-producers.ts';
import { judge } from '../kill/verdict.ts';

/** A backup is taken while three producers post events; what comes after it is not in it. */
let folder: string;
let backup: string;
let before: Acknowledged;
let after: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-backup-'));
  backup = join(folder, 'backup');
  const dataDir = join(folder, 'data');
  await using host = await Host.open({ dataDir, partitions: 2, commitIntervalMs: 50 });
  const registry = await openEmbeddedRegistry(dataDir);
  await using server = await startServer({ host, registry, port: 0 });
  const producers = new HttpProducers({ producers: 3, eventsPerRequest: 40 });
  producers.sendTo(server.url);
  while (producers.acknowledged.events.size < 4000) await setTimeout(5);
  const { events, versions } = producers.acknowledged;
  before = { events: new Set(events), versions: new Set(versions) };
  // The command finds the server by the folder's note.
  await noteOwner(dataDir, { url: server.url });
  expect(await run(['backup', backup, '--data-dir', dataDir], {})).toBe(0);
  while (producers.acknowledged.events.size < before.events.size + 1000) await setTimeout(5);
  await producers.pause();
  after = producers.acknowledged.events.size;
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

test('a backup of a running server holds all that was acknowledged before it, and its state follows from its log', async () => {
  const dataDir = join(folder, 'restored');
  expect(await run(['restore', backup, dataDir], {})).toBe(0);
  // What the log had and the state had not when the backup was taken is processed now.
  {
    await using host = await Host.open({ dataDir });
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
  }
  const { problems, counts } = await judge(dataDir, before);
  expect(problems).toEqual([]);
  expect(counts.clean).toBeGreaterThanOrEqual(before.events.size);
  expect(counts.clean).toBeLessThan(after);
});

test('neither a backup nor a restore writes into a folder that has something in it', async () => {
  const full = mkdtempSync(join(folder, 'full-'));
  writeFileSync(join(full, 'thesis.txt'), 'mine');
  await expect(restoreBackup(backup, full)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(readFileSync(join(full, 'thesis.txt'), 'utf8')).toBe('mine');
});

test('a file that has changed, a torn backup and a folder that is none are refused', async () => {
  const target = join(folder, 'never');
  const manifest = JSON.parse(readFileSync(join(backup, 'backup.json'), 'utf8')) as BackupManifest;
  const { path } = manifest.files.find((file) => file.path.endsWith('.sst'))!;
  const file = join(backup, 'data', path);
  const whole = readFileSync(file);
  const changed = Buffer.from(whole);
  changed[changed.length >> 1]! ^= 1;
  writeFileSync(file, changed);
  await expect(restoreBackup(backup, target)).rejects.toThrow(`${path} is not what it was`);
  truncateSync(file, whole.length - 1);
  await expect(restoreBackup(backup, target)).rejects.toThrow(`${path} wants ${whole.length} bytes`);
  writeFileSync(file, whole);
  rmSync(join(backup, 'backup.json'));
  await expect(restoreBackup(backup, target)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  await expect(restoreBackup(folder, target)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
});
