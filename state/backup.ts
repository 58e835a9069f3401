import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, cp, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { MillraceError } from '../schemas/errors.ts';
import { prefixEnd } from './byte-order.ts';
import { dataFolderFormat, openDataFolder } from './data-folder.ts';
import type { ColumnFamily, EngineSnapshot } from './engine.ts';
import { WriteBatchBuilder } from './write-batch.ts';

/**
 * A backup: every row of one snapshot, written into a database of its own, so that the copy is as consistent as a
 * commit and the original goes on meanwhile. (The binding has no checkpoint call, and files that may be deleted under
 * the copier can't be copied safely.)
 *
 *     BACKUP/backup.json   BackupManifest: written last, so a backup that was broken off has none
 *     BACKUP/data/         a data folder: format.json, db/, and the other files of the original (schemas/)
 *
 * The manifest holds the size and SHA-256 of every file; `restoreBackup` checks each, before and after copying.
 */
export interface BackupManifest {
  readonly backup: 1;
  readonly dataFolderFormat: number;
  readonly madeAtMs: number;
  /** What the caller says of the moment: source offsets. */
  readonly asOf: unknown;
  readonly rows: number;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

export interface BackupSource {
  /** Its rows are read to the end; the caller disposes it. */
  readonly snapshot: EngineSnapshot;
  readonly dataDir: string;
  readonly asOf: unknown;
}

/** @throws MillraceError `INVALID_ARGUMENT` when the folder is there and not empty */
export async function writeBackup(folder: string, { snapshot, dataDir, asOf }: BackupSource): Promise<BackupManifest> {
  await mustBeEmpty(folder);
  const madeAtMs = Date.now();
  const data = join(folder, 'data');
  let rows = 0;
  {
    await using copy = await openDataFolder(data);
    for (const family of families) {
      let batch = new WriteBatchBuilder();
      const write = async (): Promise<void> => {
        batch.seal();
        await copy.write(batch);
        batch = new WriteBatchBuilder();
      };
      for await (const entries of snapshot.range(family, { gte: new Uint8Array(), lt: prefixEnd(new Uint8Array()) })) {
        for (const { key, value } of entries) batch.put(family, key.slice(), value.slice());
        rows += entries.length;
        if (batch.bytes >= batchBytes) await write();
      }
      if (batch.operations.length > 0) await write();
    }
    await copy.flush();
  }
  // After the snapshot: whatever schema its records name is there by now.
  for (const name of await readdir(dataDir)) {
    if (name === 'db' || name === 'format.json' || name === 'owner.json' || name.endsWith('.tmp')) continue;
    await cp(join(dataDir, name), join(data, name), { recursive: true });
  }
  const files = await digests(data);
  const manifest: BackupManifest = { backup: 1, dataFolderFormat, madeAtMs, asOf, rows, files };
  await writeDurably(join(folder, 'backup.json'), JSON.stringify(manifest, null, 2));
  return manifest;
}

/**
 * Makes a data folder of a backup. It appears whole or not at all.
 * @throws MillraceError `BACKUP_INVALID` when it is none, or torn, or a file is not what it was; `DATA_FOLDER_NEWER`;
 *   `INVALID_ARGUMENT` when the target is there and not empty
 */
export async function restoreBackup(folder: string, dataDir: string): Promise<BackupManifest> {
  const manifest = await readManifest(folder);
  await mustBeEmpty(dataDir);
  const source = join(folder, 'data');
  await check(manifest, source, folder);
  const part = `${dataDir}.restoring`;
  await rm(part, { recursive: true, force: true });
  for (const { path } of manifest.files) {
    await mkdir(dirname(join(part, path)), { recursive: true });
    await copyFile(join(source, path), join(part, path));
  }
  await check(manifest, part, folder);
  await rm(dataDir, { recursive: true, force: true }); // Empty, as was checked.
  await rename(part, dataDir);
  return manifest;
}

async function readManifest(folder: string): Promise<BackupManifest> {
  let manifest: Partial<BackupManifest>;
  try {
    manifest = JSON.parse(await readFile(join(folder, 'backup.json'), 'utf8')) as Partial<BackupManifest>;
  } catch (cause) {
    throw invalid(folder, 'it has no readable backup.json, so it is none or was broken off', { cause });
  }
  if (manifest.backup !== 1 || !Array.isArray(manifest.files) || typeof manifest.dataFolderFormat !== 'number') {
    throw invalid(folder, 'its backup.json wants "backup": 1, a data folder format and files');
  }
  if (manifest.dataFolderFormat > dataFolderFormat) {
    throw new MillraceError(
      'DATA_FOLDER_NEWER',
      `The backup ${folder} holds a data folder of format ${manifest.dataFolderFormat}, and this program knows formats up to ${dataFolderFormat}`,
      { folder, found: manifest.dataFolderFormat, known: dataFolderFormat },
    );
  }
  return manifest as BackupManifest;
}

async function check(manifest: BackupManifest, data: string, folder: string): Promise<void> {
  for (const { path, bytes, sha256 } of manifest.files) {
    if (path.split('/').includes('..')) throw invalid(folder, `it names a file outside itself: ${path}`);
    const file = join(data, path);
    const found = await stat(file).catch(() => undefined);
    if (found?.size !== bytes) throw invalid(folder, `${path} wants ${bytes} bytes, found ${found?.size ?? 'no file'}`);
    if ((await digest(file)) !== sha256) throw invalid(folder, `${path} is not what it was: its SHA-256 differs`);
  }
}

async function digests(data: string): Promise<BackupManifest['files']> {
  const files: { path: string; bytes: number; sha256: string }[] = [];
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
    // RocksDB's lock, and what it tells people, are no part of what is kept.
    if (!entry.isFile() || entry.name === 'LOCK' || entry.name.startsWith('LOG')) continue;
    const file = join(entry.parentPath, entry.name);
    const path = relative(data, file).split(sep).join('/');
    files.push({ path, bytes: (await stat(file)).size, sha256: await digest(file) });
  }
  return files;
}

async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function mustBeEmpty(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new MillraceError(
      'INVALID_ARGUMENT',
      `${folder} can't be used: ${String(error)}`,
      { folder },
      { cause: error },
    );
  });
  if (found.length === 0) return;
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `The folder ${folder} wants to be new or empty, found ${found.length} files in it: nothing is overwritten`,
    { folder, found: found.length },
  );
}

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function invalid(folder: string, reason: string, options?: { readonly cause?: unknown }): MillraceError {
  return new MillraceError('BACKUP_INVALID', `The backup ${folder} can't be restored: ${reason}`, { folder }, options);
}

const families: readonly ColumnFamily[] = ['log', 'state', 'meta'];
const batchBytes = 4 * 1024 * 1024;
