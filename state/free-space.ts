import { statfsSync } from 'node:fs';
import { MillraceError } from '../schemas/errors.ts';

/**
 * Keeps the database from filling its disk.
 *
 * What RocksDB has in memory it must still be able to write, and compaction needs room before it gives some back. So
 * new work is turned away while less than `reserveBytes` are free, and the reserve is left to what was taken before.
 * Others fill the same disk, so a write may fail all the same; then what is durable is known only after opening again.
 */
export class FreeSpace {
  readonly #folder: string;
  readonly #reserveBytes: number;
  #freeBytes = Infinity;
  #lookedAt = -Infinity;

  constructor(folder: string, reserveBytes: number) {
    this.#folder = folder;
    this.#reserveBytes = reserveBytes;
  }

  /** By the last look. */
  get isLow(): boolean {
    return this.#freeBytes < this.#reserveBytes;
  }

  /**
   * Looks, unless the last look was a moment ago; true when there is room. Synchronous, because what waited for it could
   * be overtaken by what came behind it.
   */
  look(): boolean {
    if (performance.now() - this.#lookedAt >= lookEveryMs) {
      const { bavail, bsize } = statfsSync(this.#folder);
      this.#freeBytes = bavail * bsize;
      this.#lookedAt = performance.now();
    }
    return !this.isLow;
  }

  /** Why nothing is taken now; `cause` is the write that failed, where one did. */
  error(cause?: unknown): MillraceError {
    const reason = cause instanceof Error ? `; a write failed: ${cause.message}` : '';
    return new MillraceError(
      'STORAGE_FULL',
      `The disk of ${this.#folder} wants at least ${this.#reserveBytes} bytes free, found ${this.#freeBytes}${reason}: make room, it goes on by itself`,
      { folder: this.#folder, wanted: this.#reserveBytes, found: this.#freeBytes },
      { cause },
    );
  }
}

/** A call takes some 20 µs; at 200 MB/s this is 20 MB of the reserve. */
const lookEveryMs = 100;
