import { crc32 } from 'node:zlib';
import { partitionForKey, type Log } from '../../log/index.ts';

/** The input of bench/restart.ts: row `n` of a version, and what the state of all rows has to be. */
export const rowsTopic = 'rows';

export function rowKey(n: number): string {
  return `customer-${String(n).padStart(9, '0')}`;
}

/** Some 100 bytes, half of which say nothing about others. */
export function rowValue(n: number, version: number): string {
  const noise = [1, 2, 3, 4, 5, 6].map((part) => (Math.imul(n + version, 0x9e3779b1 * part) >>> 0).toString(16));
  return JSON.stringify({ n, version, city: `city ${n % 4001}`, noise: noise.join('') });
}

/** Appends rows [from, to) in order, as one version. */
export async function appendRows(
  log: Log,
  partitions: number,
  { from, to, version }: { readonly from: number; readonly to: number; readonly version: number },
): Promise<void> {
  for (let begin = from; begin < to; begin += appendedAtOnce) {
    const parts = Array.from(
      { length: partitions },
      () => [] as { key: Uint8Array; value: Uint8Array; timestamp: number }[],
    );
    for (let n = begin; n < Math.min(to, begin + appendedAtOnce); n++) {
      const key = Buffer.from(rowKey(n));
      parts[partitionForKey(key, partitions)]!.push({ key, value: Buffer.from(rowValue(n, version)), timestamp: n });
    }
    await Promise.all(
      parts.map(async (records, partition) => {
        if (records.length > 0) await log.produce({ topic: rowsTopic, partition }, records);
      }),
    );
  }
}

const appendedAtOnce = 20_000;

/** Rows in any order: their number, and the sum of their checksums. */
export class RowsDigest {
  #rows = 0;
  #sum = 0;

  add(key: string, value: string): void {
    this.#rows += 1;
    this.#sum = (this.#sum + crc32(`${key}=${value}`)) >>> 0;
  }

  toString(): string {
    return `${this.#rows} rows, digest ${this.#sum.toString(16).padStart(8, '0')}`;
  }
}
