import { randomUUID } from 'node:crypto';
import { access, mkdir, open, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMillraceError, MillraceError } from '../schemas/errors.ts';
import type { Engine } from './engine.ts';
import type { Migrated, Migration } from './migration.ts';
import { loadRocksBinding } from './rocksdb-binding.ts';
import { openRocksEngine, type RocksEngineOptions } from './rocksdb-engine.ts';

/**
 * The data folder, and the sentence that says why it can't be opened.
 *
 *     DIR/format.json   {"format": 5}: written before the database is created, checked before it is opened
 *     DIR/owner.json    {"pid": 4711, "url": "http://127.0.0.1:8080"}: who has it open; a note, the lock is RocksDB's
 *     DIR/db/           RocksDB: LOCK, *.log (write-ahead), *.sst, MANIFEST …
 *
 * A stale owner.json of a killed process does no harm: it is read only when the lock is held, and its holder has
 * written it anew.
 */
export interface DataFolderOptions extends RocksEngineOptions {
  /** For tests: gives the native binding. */
  readonly loadBinding?: () => unknown;
  /** Steps for what this application keeps in the folder; numbers without one change nothing stored. */
  readonly migrations?: readonly Migration[];
  /** Hears of each number that the format has moved on, when that is durable. */
  readonly onMigrated?: (migrated: Migrated) => void;
}

export interface DataFolderOwner {
  readonly pid: number;
  readonly url?: string;
}

/** The layout this program reads and writes. Raise it when an older program could not read the folder any more. */
export const dataFolderFormat = 5;

/**
 * Opens the database of a data folder, creating both when they don't exist (unless `readOnly`, which needs no lock and
 * sees the state at the moment of opening).
 * @throws MillraceError `DATA_FOLDER_IN_USE`, `DATA_FOLDER_NEWER`, `DATA_FOLDER_CORRUPT`, `DATA_FOLDER_UNUSABLE`,
 *   `NATIVE_LIBRARY_MISSING`
 */
export async function openDataFolder(folder: string, options: DataFolderOptions = {}): Promise<Engine> {
  const binding = loadRocksBinding(options.loadBinding);
  const format = await checkFormat(folder, options.readOnly ?? false);
  let engine: Engine;
  try {
    engine = await openRocksEngine(binding, join(folder, 'db'), options);
  } catch (error) {
    throw await explainOpenError(error, folder);
  }
  if (options.readOnly) return engine;
  try {
    await noteOwner(folder);
    await migrate(engine, { folder, format, ...options });
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw isMillraceError(error) ? error : unusable(folder, error);
  }
  return releasingOwner(engine, folder);
}

/** Notes who has the folder open, so that a second process can say it. For the owner only; `openDataFolder` does it. */
export async function noteOwner(folder: string, owner: { readonly url?: string } = {}): Promise<void> {
  await replaceFile(join(folder, 'owner.json'), JSON.stringify({ pid: process.pid, ...owner }));
}

/** Who has, or had, the folder open; undefined when nobody says so. */
export async function readOwner(folder: string): Promise<DataFolderOwner | undefined> {
  try {
    const note: unknown = JSON.parse(await readFile(join(folder, 'owner.json'), 'utf8'));
    if (typeof note !== 'object' || note === null || !('pid' in note) || typeof note.pid !== 'number') return undefined;
    return 'url' in note && typeof note.url === 'string' ? { pid: note.pid, url: note.url } : { pid: note.pid };
  } catch {
    return undefined; // A note that can't be read says nothing.
  }
}

interface Migrating extends Pick<DataFolderOptions, 'migrations' | 'onMigrated'> {
  readonly folder: string;
  readonly format: number;
}

/** The order of migration.ts: what a step does is durable before its number is. */
async function migrate(engine: Engine, { folder, format, migrations = [], onMigrated }: Migrating): Promise<void> {
  for (let from = format; from < dataFolderFormat; from += 1) {
    const step = migrations.find((migration) => migration.from === from);
    await step?.run(engine);
    await replaceFile(join(folder, 'format.json'), JSON.stringify({ format: from + 1 }));
    onMigrated?.({ from, to: from + 1, what: step?.what ?? 'nothing stored has changed' });
  }
}

/** The folder's format; a new folder's is today's. */
async function checkFormat(folder: string, readOnly: boolean): Promise<number> {
  try {
    if (!readOnly) await mkdir(folder, { recursive: true });
    const text = await readIfExists(join(folder, 'format.json'));
    if (text !== undefined) {
      return checkFormatNumber(folder, text, readOnly);
    } else if (await exists(join(folder, 'db', 'CURRENT'))) {
      throw corrupt(folder, `it holds a database but no format.json naming format ${dataFolderFormat} or older`);
    } else if (readOnly) {
      throw new MillraceError('DATA_FOLDER_UNUSABLE', `There is no Millrace data in the folder ${folder}`, { folder });
    } else {
      await replaceFile(join(folder, 'format.json'), JSON.stringify({ format: dataFolderFormat }));
      return dataFolderFormat;
    }
  } catch (error) {
    throw isMillraceError(error) ? error : unusable(folder, error);
  }
}

function checkFormatNumber(folder: string, text: string, readOnly: boolean): number {
  let found: unknown;
  try {
    const parsed: unknown = JSON.parse(text);
    found = typeof parsed === 'object' && parsed !== null && 'format' in parsed ? parsed.format : undefined;
  } catch {
    found = undefined;
  }
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 1) {
    throw corrupt(folder, `its format.json names no format: ${text.slice(0, 80)}`);
  }
  if (found > dataFolderFormat) {
    throw new MillraceError(
      'DATA_FOLDER_NEWER',
      `The data folder ${folder} has format ${found}, and this program knows formats up to ${dataFolderFormat}: ` +
        'use the newer program that wrote it, or another folder',
      { folder, found, known: dataFolderFormat },
    );
  }
  if (readOnly && found < dataFolderFormat) {
    throw new MillraceError(
      'DATA_FOLDER_UNUSABLE',
      `The data folder ${folder} has format ${found}, and only format ${dataFolderFormat} can be read without writing: ` +
        'open it once to write, which migrates it',
      { folder, found, wanted: dataFolderFormat },
    );
  }
  return found;
}

async function explainOpenError(error: unknown, folder: string): Promise<MillraceError> {
  const reason = error instanceof Error ? error.message : String(error);
  if (/\block\b/i.test(reason) && reason.includes('LOCK')) {
    const owner = await readOwner(folder);
    const who = owner ? `process ${owner.pid}${owner.url ? ` (${owner.url})` : ''}` : 'another process';
    return new MillraceError(
      'DATA_FOLDER_IN_USE',
      `The data folder ${folder} is in use by ${who}: stop it, or choose another folder`,
      { folder, pid: owner?.pid, url: owner?.url },
      { cause: error },
    );
  }
  // RocksDB's own words for what is wrong with its files are many; what the operating system says are few.
  return /permission denied|not permitted|no space left|read-only file system|too many open files|not a directory/i.test(
    reason,
  )
    ? unusable(folder, error)
    : corrupt(folder, reason, error);
}

function corrupt(folder: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'DATA_FOLDER_CORRUPT',
    `The data folder ${folder} can't be read: ${reason}`,
    { folder },
    { cause },
  );
}

function unusable(folder: string, cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError(
    'DATA_FOLDER_UNUSABLE',
    `The data folder ${folder} can't be used: ${reason}`,
    { folder },
    { cause },
  );
}

/** The engine, which takes its note away before it gives up the lock: afterwards the note might be the next owner's. */
function releasingOwner(engine: Engine, folder: string): Engine {
  const close = engine[Symbol.asyncDispose].bind(engine);
  let closing: Promise<void> | undefined;
  const release = async () => {
    await unlink(join(folder, 'owner.json')).catch(() => undefined); // Somebody tidied up: fine.
    await close();
  };
  engine[Symbol.asyncDispose] = () => (closing ??= release());
  return engine;
}

/** Writes a small file so that it is there whole or not at all, also after a power loss. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, text, { flush: true });
  await rename(temporary, path);
  if (process.platform === 'win32') return;
  const folder = await open(join(path, '..'), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function readIfExists(path: string): Promise<string | undefined> {
  return (await exists(path)) ? readFile(path, 'utf8') : undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
