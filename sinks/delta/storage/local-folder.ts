import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { MillraceError } from '../../../schemas/errors.ts';
import { deltaFaults } from '../faults.ts';
import type { ListOptions, LocalFile, NewFile, Storage, StoredFile } from './storage.ts';

/**
 * A table in a folder of this machine.
 *
 * `putIfAbsent` writes a temporary file beside the final one, syncs it, and links it: `link` fails when the name is taken,
 * and a linked file is whole. Raced by four processes over 800 commits this lost none and was never read half; opening with
 * `wx` was read half, and asking before renaming lost 83. Temporary names begin with a point, so no reader of the log
 * takes them for entries; `vacuum` takes those away that a killed process has left.
 *
 * Files and folders are synced before their name is handed on, so a power loss takes no file that a commit names.
 */
export class LocalFolder implements Storage {
  readonly location: string;
  /** Folders known to be there, and to be durable. */
  readonly #folders = new Set<string>();

  constructor(folder: string) {
    this.location = resolve(folder);
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#unlessMissing(path, readFile(this.#at(path)));
  }

  async list(folder: string, { recursive = false }: ListOptions = {}): Promise<StoredFile[]> {
    const reading = readdir(this.#at(folder), { recursive, withFileTypes: true });
    const entries = (await this.#unlessMissing(folder, reading)) ?? [];
    const files: StoredFile[] = [];
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const at = join(entry.parentPath, entry.name);
      const path = relative(this.location, at).split(sep).join('/');
      const found = await this.#unlessMissing(path, stat(at)); // Gone since it was listed: not there.
      if (found !== undefined) files.push(storedFile(path, found));
    }
    return files;
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    const at = this.#at(path);
    return this.#failing(path, async () => {
      await this.#makeFolder(dirname(at));
      const temporary = join(dirname(at), `.${randomUUID()}.tmp`);
      await writeFile(temporary, bytes, { flush: true });
      deltaFaults.reached?.('staged');
      try {
        await link(temporary, at);
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false;
        throw error;
      } finally {
        await unlink(temporary);
      }
      await syncFolder(dirname(at));
      return true;
    });
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const at = this.#at(path);
    await this.#failing(path, async () => {
      await this.#makeFolder(dirname(at));
      const temporary = join(dirname(at), `.${randomUUID()}.tmp`);
      await writeFile(temporary, bytes, { flush: true });
      await rename(temporary, at);
      await syncFolder(dirname(at));
    });
  }

  async create(path: string): Promise<NewFile> {
    const localPath = this.#at(path);
    await this.#failing(path, () => this.#makeFolder(dirname(localPath)));
    return {
      localPath,
      finish: () => this.#failing(path, () => this.#syncFile(localPath)),
      finishAs: (finalPath) =>
        this.#failing(finalPath, async () => {
          const size = await this.#syncFile(localPath);
          const final = this.#at(finalPath);
          await this.#makeFolder(dirname(final));
          await rename(localPath, final);
          await syncFolder(dirname(final));
          return size;
        }),
      discard: () => this.remove(path),
    };
  }

  async open(path: string): Promise<LocalFile> {
    return { localPath: this.#at(path), [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  async remove(path: string): Promise<void> {
    await this.#unlessMissing(path, unlink(this.#at(path)));
  }

  /** @throws MillraceError `TABLE_CORRUPT` for a path that leads out of the table */
  #at(path: string): string {
    const at = join(this.location, path);
    if (at !== this.location && !at.startsWith(this.location + sep)) {
      throw new MillraceError('TABLE_CORRUPT', `The table ${this.location} names a file outside itself: ${path}`, {
        table: this.location,
        path,
      });
    }
    return at;
  }

  /** Makes a folder and those above it, and syncs the folder above each new one. */
  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    const first = await mkdir(folder, { recursive: true });
    if (first !== undefined) {
      for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
    }
    this.#folders.add(folder);
  }

  async #syncFile(localPath: string): Promise<{ readonly bytes: number }> {
    const file = await open(localPath, 'r+');
    try {
      await file.sync();
      const { size } = await file.stat();
      await syncFolder(dirname(localPath));
      return { bytes: size };
    } finally {
      await file.close();
    }
  }

  async #unlessMissing<T>(path: string, work: Promise<T>): Promise<T | undefined> {
    return this.#failing(path, () =>
      work.catch((error: unknown) => {
        if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
        throw error;
      }),
    );
  }

  async #failing<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      if (hasCode(error, 'ENOENT')) this.#folders.clear(); // Somebody took a folder away; the next call makes it again.
      const full = hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT');
      throw new MillraceError(
        full ? 'STORAGE_FULL' : 'STORAGE_FAILED',
        `${path || 'The folder'} of the table ${this.location} can't be read or written: ${error instanceof Error ? error.message : String(error)}`,
        { table: this.location, path },
        { cause: error },
      );
    }
  }
}

function storedFile(path: string, { size, mtimeMs }: Stats): StoredFile {
  return { path, bytes: size, modifiedAtMs: Math.floor(mtimeMs) };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Windows has no such call, and needs none: NTFS logs what happens to names. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const file = await open(folder, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
