import { MillraceError } from '../schemas/errors.ts';
import { concatBytes } from './byte-order.ts';
import type { KeyCodec } from './key-codec.ts';
import type { Windowed } from './store.ts';

/**
 * Ordered key codecs: the order of the bytes is the order of the keys, so a range of keys is a range of the table.
 *
 *     utf8     | UTF-8 |                              order of code points
 *     bytes    | as they are |                        unsigned, a prefix first
 *     int64    | i64, sign bit flipped, big endian |  negative before positive
 *     uint32   | u32, big endian |
 *     tuple    | element | element | … |              the first element that differs decides
 *     windowed | window start int64 | key |           by start, then key
 *
 * Inside a tuple an element must end visibly. One of fixed length does; the last one ends with the key; of any other a
 * zero byte becomes `00 ff`, and `00 01` ends it. That is below every byte that could follow, an escaped zero included,
 * so a shorter element sorts before those that it begins (the escaping of FoundationDB's and CockroachDB's tuples).
 */
export const utf8Key: KeyCodec<string> = {
  name: 'utf8',
  encode(key) {
    const bytes = Buffer.from(key);
    // A lone surrogate would be stored as U+FFFD, and two keys become one. ASCII, the usual case, has none.
    if (bytes.length !== key.length && /\p{Surrogate}/u.test(key)) throw invalidKey('utf8', 'well-formed Unicode', key);
    return bytes;
  },
  decode: (bytes) => viewOf(bytes).toString(),
  token: (key) => key,
};

/** The array is kept, not copied: don't change it afterwards. */
export const bytesKey: KeyCodec<Uint8Array> = {
  name: 'bytes',
  encode: (key) => key,
  decode: (bytes) => bytes,
  token: (key) => viewOf(key).toString('latin1'),
};

/** Safe integers, ±(2^53 − 1). */
export const int64Key: KeyCodec<number> = {
  name: 'int64',
  fixedBytes: 8,
  encode(key) {
    const bytes = Buffer.allocUnsafe(8);
    writeOrderedInt64(bytes, 0, key);
    return bytes;
  },
  decode: (bytes) => readOrderedInt64(bytes, 0),
  token: (key) => key,
};

export const uint32Key: KeyCodec<number> = {
  name: 'uint32',
  fixedBytes: 4,
  encode(key) {
    if (key >>> 0 !== key) throw invalidKey('uint32', 'an integer of [0, 4294967295]', key);
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(key);
    return bytes;
  },
  decode: (bytes) => viewOf(bytes).readUInt32BE(),
  token: (key) => key,
};

export function tupleKey<T extends readonly unknown[]>(
  ...codecs: { readonly [I in keyof T]: KeyCodec<T[I]> }
): KeyCodec<T> {
  const elements: readonly KeyCodec<unknown>[] = codecs;
  const last = elements.length - 1;
  const fixedBytes = elements.reduce((sum, { fixedBytes: bytes }) => sum + (bytes ?? NaN), 0);
  return {
    name: `tuple(${elements.map((codec) => codec.name).join(',')})`,
    ...(Number.isNaN(fixedBytes) ? {} : { fixedBytes }),
    encode(key) {
      const parts = elements.map((codec, i) => {
        const bytes = codec.encode(key[i]);
        return i === last || codec.fixedBytes !== undefined ? bytes : escape(bytes);
      });
      return Buffer.concat(parts);
    },
    decode(bytes) {
      let at = 0;
      const key = elements.map((codec, i) => {
        if (i === last) return codec.decode(bytes.subarray(at));
        const { element, next } = takeElement(bytes, at, codec.fixedBytes);
        at = next;
        return codec.decode(element);
      });
      return key as unknown as T;
    },
    token(key) {
      let token = '';
      for (let i = 0; i <= last; i++) {
        const part = elements[i]?.token(key[i]) ?? '';
        if (i === last) token += part;
        else token += typeof part === 'number' ? `${part}|` : `${part.length}:${part}`;
      }
      return token;
    },
  };
}

export interface WindowedKeyCodec<K> extends KeyCodec<Windowed<K>> {
  /** As `token`, without an object for it: the hot path of window stores. */
  tokenOf(key: K, windowStartMs: number): string;
}

export function windowedKey<K>(codec: KeyCodec<K>): WindowedKeyCodec<K> {
  // Most accesses are to the same few windows: the decimal form of the last start is kept.
  let lastStartMs = 0;
  let lastText = '0|';
  const tokenOf = (key: K, windowStartMs: number) => {
    if (windowStartMs !== lastStartMs) {
      lastStartMs = windowStartMs;
      lastText = `${windowStartMs}|`;
    }
    return lastText + codec.token(key);
  };
  return {
    name: `windowed(${codec.name})`,
    ...(codec.fixedBytes === undefined ? {} : { fixedBytes: 8 + codec.fixedBytes }),
    encode: ({ key, windowStartMs }) => concatBytes(int64Key.encode(windowStartMs), codec.encode(key)),
    decode: (bytes) => ({ key: codec.decode(bytes.subarray(8)), windowStartMs: readOrderedInt64(bytes, 0) }),
    token: ({ key, windowStartMs }) => tokenOf(key, windowStartMs),
    tokenOf,
  };
}

/** Sign flipped: two's complement with the top bit inverted puts negative numbers below positive ones. */
function writeOrderedInt64(bytes: Buffer, offset: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw invalidKey('int64', 'a safe integer', value);
  const high = Math.floor(value / 0x1_0000_0000);
  bytes.writeUInt32BE((high ^ 0x8000_0000) >>> 0, offset);
  bytes.writeUInt32BE(value - high * 0x1_0000_0000, offset + 4);
}

function readOrderedInt64(bytes: Uint8Array, offset: number): number {
  const view = viewOf(bytes);
  const high = view.readUInt32BE(offset) ^ 0x8000_0000;
  return high * 0x1_0000_0000 + view.readUInt32BE(offset + 4);
}

function escape(bytes: Uint8Array): Uint8Array {
  let zeros = 0;
  for (const byte of bytes) if (byte === 0) zeros++;
  const escaped = Buffer.allocUnsafe(bytes.length + zeros + 2);
  let at = 0;
  for (const byte of bytes) {
    escaped[at++] = byte;
    if (byte === 0) escaped[at++] = 0xff;
  }
  escaped[at++] = 0;
  escaped[at] = 1;
  return escaped;
}

function takeElement(
  bytes: Uint8Array,
  start: number,
  fixedBytes: number | undefined,
): { readonly element: Uint8Array; readonly next: number } {
  if (fixedBytes !== undefined) {
    return { element: bytes.subarray(start, start + fixedBytes), next: start + fixedBytes };
  }
  const element: number[] = [];
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte !== 0) {
      element.push(byte);
      continue;
    }
    const mark = bytes[++at];
    if (mark === 1) return { element: Uint8Array.from(element), next: at + 1 };
    if (mark !== 0xff) break;
    element.push(0);
  }
  throw new MillraceError(
    'DESERIALIZATION_FAILED',
    `A tuple key of ${bytes.length} bytes has an element at byte ${start} that doesn't end`,
    { bytes: bytes.length, start },
  );
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function invalidKey(codec: string, wanted: string, found: string | number): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `A key of codec '${codec}' is ${wanted}, not ${JSON.stringify(found)}`, {
    codec,
    found,
  });
}
