import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes what was written safe against a power loss, which the binding has no option for.
 *
 * RocksDB appends every batch to its newest write-ahead file (`000123.log`) and hands it to the operating system, so it
 * survives a killed process. `sync` fdatasyncs that file, and once each older file that still exists: recovery stops at
 * the first hole, so a synced batch behind an unsynced file would be lost with it. A file that is gone was flushed into
 * tables, and those RocksDB syncs itself. When a new file has appeared its directory entry is synced, too.
 *
 * Call it with no write in flight: then no file but the newest one grows.
 */
export class WriteAheadLogSync {
  readonly #folder: string;
  readonly #sealed = new Set<string>();
  #newest: { readonly name: string; readonly file: FileHandle } | undefined;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get count(): number {
    return this.#count;
  }

  async sync(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => /^\d+\.log$/.test(name)).sort(byNumber);
    const newest = names.pop();
    for (const name of names) {
      if (this.#sealed.has(name)) continue;
      await this.#syncSealed(name);
      this.#sealed.add(name);
    }
    for (const name of this.#sealed) if (!names.includes(name)) this.#sealed.delete(name);
    if (newest !== undefined) await this.#syncNewest(newest);
    this.#count++;
  }

  async close(): Promise<void> {
    const file = this.#newest?.file;
    this.#newest = undefined;
    await file?.close();
  }

  async #syncNewest(name: string): Promise<void> {
    if (this.#newest?.name !== name) {
      await this.close();
      this.#newest = { name, file: await open(join(this.#folder, name), 'r+') };
      await this.#syncFolder();
    }
    await this.#newest.file.datasync();
  }

  async #syncSealed(name: string): Promise<void> {
    let file: FileHandle;
    try {
      file = await open(join(this.#folder, name), 'r+');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return; // Flushed meanwhile.
      throw error;
    }
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #syncFolder(): Promise<void> {
    if (process.platform === 'win32') return; // Directories can't be opened there, and need no sync.
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function byNumber(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10);
}
