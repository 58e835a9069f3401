import { MillraceError } from '../../schemas/index.ts';
import type { StoreSpec } from '../../topology/index.ts';

/** Keys and rows of stores as text and JSON, for those who ask from outside. */

/** The key as text: as it is where keys are strings, JSON where they are anything else. */
export function encodeKey({ name, keySerde }: StoreSpec, key: string): Uint8Array {
  try {
    return keySerde.serialize(keySerde.name === 'string' ? key : JSON.parse(key));
  } catch (cause) {
    const message = `'${key}' is not a key of '${name}': wanted JSON of a '${keySerde.name}'.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { store: name, key }, { cause });
  }
}

/** The text that `encodeKey` takes; of a windowed row the window's start besides. */
export function decodeKey(spec: StoreSpec, bytes: Uint8Array): { key: string; windowStartMs?: number } {
  if (spec.kind !== 'window') return { key: keyText(spec, bytes) };
  return { key: keyText(spec, bytes.subarray(windowStartBytes)), windowStartMs: windowStartOf(bytes) };
}

/** The stored bytes that `decodeKey` was given. */
export function storedKey(spec: StoreSpec, row: { readonly key: string; readonly windowStartMs?: number }): Uint8Array {
  const key = encodeKey(spec, row.key).slice();
  if (row.windowStartMs === undefined) return key;
  const start = Buffer.alloc(windowStartBytes);
  start.writeBigUInt64BE(BigInt.asUintN(64, BigInt(row.windowStartMs)) ^ signBit);
  return Buffer.concat([start, key]);
}

/** Rows of a window store begin with the window's start: | start i64, sign bit flipped | key |. */
function windowStartOf(bytes: Uint8Array): number {
  const flipped = Buffer.from(bytes.buffer, bytes.byteOffset, windowStartBytes).readBigUInt64BE();
  return Number(BigInt.asIntN(64, flipped ^ signBit));
}

/** Timestamped values begin with their timestamp (KIP-258). */
export function decodeValue(spec: StoreSpec, bytes: Uint8Array): unknown {
  if (spec.kind === 'key-value') return asPlain(spec.valueSerde.deserialize(bytes));
  const timestamp = Number(Buffer.from(bytes.buffer, bytes.byteOffset, 8).readBigInt64BE());
  return { value: asPlain(spec.valueSerde.deserialize(bytes.subarray(8))), timestamp };
}

function keyText({ keySerde }: StoreSpec, bytes: Uint8Array): string {
  const key = keySerde.deserialize(bytes);
  return keySerde.name === 'string' ? (key as string) : JSON.stringify(asPlain(key));
}

/** Objects of classes with private fields arrive empty in another thread; those that are shown anywhere have a toJSON. */
function asPlain(value: unknown): unknown {
  const { toJSON } = (value ?? {}) as { readonly toJSON?: () => unknown };
  return typeof toJSON === 'function' ? toJSON.call(value) : value;
}

const windowStartBytes = 8;
const signBit = 1n << 63n;
