import type { KeyValueStore } from '../../state/store.ts';

/**
 * A key-value store that is a Map and nothing else: no cache, nothing to load, nothing to commit. It wears the
 * interface of state/store.ts because processors of the graph under test ask for it.
 */
export class NaiveKeyValueStore implements KeyValueStore<unknown, unknown> {
  readonly kind = 'key-value';
  readonly dirtyBytes = 0;
  readonly cachedBytes = 0;
  readonly name: string;
  readonly partition: number;
  /** By the key's JSON, since keys may be objects. */
  readonly rows = new Map<string, readonly [key: unknown, value: unknown]>();

  constructor(name: string, partition: number) {
    this.name = name;
    this.partition = partition;
  }

  getLoaded(key: unknown): unknown {
    return this.rows.get(JSON.stringify(key))?.[1];
  }

  put(key: unknown, value: unknown): void {
    this.rows.set(JSON.stringify(key), [key, value]);
  }

  delete(key: unknown): void {
    this.rows.delete(JSON.stringify(key));
  }

  isLoaded(): boolean {
    return true;
  }

  async load(): Promise<void> {}

  async get(key: unknown): Promise<unknown> {
    return this.getLoaded(key);
  }

  async *range(): AsyncIterable<readonly [unknown, unknown]> {
    yield* this.rows.values();
  }

  async committedGet(key: unknown): Promise<unknown> {
    return this.getLoaded(key);
  }

  committedRange(): AsyncIterable<readonly [unknown, unknown]> {
    return this.range();
  }

  stageChanges(): void {}
  committed(): void {}
  discard(): void {}
  trim(): void {}
  changes(): Iterable<never> {
    return [];
  }
}

/** One row of a table or an aggregate, windowed or not. */
export interface NaiveRow {
  readonly key: unknown;
  /** -1 outside windows. */
  readonly windowStartMs: number;
  readonly value: unknown;
  readonly timestamp: number;
}

/** A timestamped table: key (and window start) to value and timestamp. A null value deletes. */
export class NaiveTable {
  readonly rows = new Map<string, NaiveRow>();
  /** Of the operator that writes windows here. */
  streamTimeMs = -1;

  get(key: unknown, windowStartMs = -1): NaiveRow | undefined {
    return this.rows.get(JSON.stringify([key, windowStartMs]));
  }

  put(row: NaiveRow): void {
    const id = JSON.stringify([row.key, row.windowStartMs]);
    if (isNull(row.value)) this.rows.delete(id);
    else this.rows.set(id, row);
  }
}

export function isNull(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
