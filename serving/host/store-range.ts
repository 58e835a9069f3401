import { MillraceError } from '../../schemas/index.ts';
import {
  compareBytes,
  concatBytes,
  keyAfter,
  prefixEnd,
  type EngineSnapshot,
  type KeyRange,
} from '../../state/index.ts';
import type { StoreSpec } from '../../topology/index.ts';
import type { RangePage, RangeRequest } from './messages.ts';
import { decodeKey, decodeValue, encodeKey, storedKey } from './store-rows.ts';

/**
 * Pages of a store in key order over all its partitions: by (stored bytes of the key, partition), so that a key which
 * several partitions have comes once for each. A cursor is the place of a page's last row,
 *
 *     base64url of | partition u32 | key |
 *
 * and the next page begins behind it, whatever has been written meanwhile: each page is one commit, two pages may be two.
 */
export async function rangePage(snapshot: EngineSnapshot, of: RangeOf): Promise<RangePage> {
  const { spec, partitions, request } = of;
  const bounds = boundsOf(spec, request);
  const cursor = request.cursor === null ? undefined : cursorOf(spec, request.cursor);
  const candidates: Row[] = [];
  for (const { partition, prefix } of partitions) {
    const from = cursor === undefined ? bounds.gte : later(bounds.gte, behind(cursor, partition));
    const range: KeyRange = {
      gte: concatBytes(prefix, from),
      lt: bounds.lt === undefined ? prefixEnd(prefix) : concatBytes(prefix, bounds.lt),
      // One more than the page holds tells whether it is the last.
      limit: request.limit + 1,
    };
    if (compareBytes(range.gte, range.lt) >= 0) continue;
    for await (const entries of snapshot.range('state', range)) {
      for (const { key, value } of entries) {
        candidates.push({ partition, key: key.slice(prefix.length), value: value.slice() });
      }
    }
  }
  candidates.sort((a, b) => compareBytes(a.key, b.key) || a.partition - b.partition);
  const page = candidates.slice(0, request.limit);
  const last = page.at(-1);
  return {
    rows: page.map(({ partition, key, value }) => ({
      ...decodeKey(spec, key),
      partition,
      value: decodeValue(spec, value),
    })),
    cursor: candidates.length > page.length && last !== undefined ? cursorText(last) : null,
  };
}

/** The first page of what several instances have, each of which has given its own first page. */
export function mergedPages(spec: StoreSpec, pages: readonly RangePage[], limit: number): RangePage {
  const placed = pages.flatMap(({ rows }) =>
    rows.map((row) => ({ row, key: storedKey(spec, row), partition: row.partition })),
  );
  placed.sort((a, b) => compareBytes(a.key, b.key) || a.partition - b.partition);
  const page = placed.slice(0, limit);
  const last = page.at(-1);
  const isWhole = placed.length === page.length && pages.every(({ cursor }) => cursor === null);
  return { rows: page.map(({ row }) => row), cursor: isWhole || last === undefined ? null : cursorText(last) };
}

export interface RangeOf {
  readonly spec: StoreSpec;
  readonly partitions: readonly { readonly partition: number; readonly prefix: Uint8Array }[];
  readonly request: RangeRequest;
}

interface Row {
  readonly partition: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface Cursor {
  readonly partition: number;
  readonly key: Uint8Array;
}

function boundsOf(spec: StoreSpec, { store, from, to, prefix }: RangeRequest): { gte: Uint8Array; lt?: Uint8Array } {
  if (spec.kind === 'window' && (from !== null || to !== null || prefix !== null)) {
    const message = `Rows of window store '${store}' lie by window start: wanted no bounds of keys here.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { store });
  }
  if (prefix !== null) {
    if (from !== null || to !== null) {
      throw new MillraceError('INVALID_ARGUMENT', "A range wants 'prefix', or 'from' and 'to', found both.", { store });
    }
    if (spec.keySerde.name !== 'string') {
      const message = `A prefix wants text keys; '${store}' has keys of '${spec.keySerde.name}'.`;
      throw new MillraceError('INVALID_ARGUMENT', message, { store });
    }
    const gte = encodeKey(spec, prefix);
    return gte.length === 0 ? { gte } : { gte, lt: prefixEnd(gte) };
  }
  const gte = from === null ? new Uint8Array() : encodeKey(spec, from);
  return to === null ? { gte } : { gte, lt: encodeKey(spec, to) };
}

/** The first key of a partition that comes after the cursor's row. */
function behind(cursor: Cursor, partition: number): Uint8Array {
  return partition <= cursor.partition ? keyAfter(cursor.key) : cursor.key;
}

function later(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) >= 0 ? a : b;
}

function cursorText({ partition, key }: Cursor): string {
  const bytes = Buffer.alloc(4 + key.length);
  bytes.writeUInt32BE(partition);
  bytes.set(key, 4);
  return bytes.toString('base64url');
}

function cursorOf({ name }: StoreSpec, text: string): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < 4 || bytes.toString('base64url') !== text) {
    throw new MillraceError('INVALID_ARGUMENT', `A cursor wants to be one of an earlier page, found '${text}'.`, {
      store: name,
      field: 'cursor',
    });
  }
  return { partition: bytes.readUInt32BE(), key: bytes.subarray(4) };
}
