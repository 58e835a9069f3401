/**
 * The plain serdes. Numbers are laid out as Kafka's own serializers lay them out, so that other clients read them:
 *
 *     int64    | i64 BE |    LongSerializer; a JavaScript safe integer
 *     float64  | f64 BE |    DoubleSerializer; any number, NaN and -0 included
 *     bytes    as they are
 *     void     nothing, zero bytes
 *     json     UTF-8 of JSON.stringify
 */
import { MillraceError } from './errors.ts';
import type { Serde } from './serde.ts';
import { stringSerde } from './string-serde.ts';

export { stringSerde } from './string-serde.ts';

/** Bytes as they are. A value may be a view into a larger buffer: copy what you keep. */
export const bytesSerde: Serde<Uint8Array> = {
  name: 'bytes',
  serialize(value) {
    if (!(value instanceof Uint8Array)) throw unserializable('bytes', 'a Uint8Array', value);
    return value;
  },
  deserialize: (bytes) => bytes,
  sizeOf: (value) => value.length,
};

/** Safe integers as 8 bytes, big-endian. */
export const int64Serde: Serde<number> = {
  name: 'int64',
  serialize(value) {
    if (!Number.isSafeInteger(value)) throw unserializable('int64', 'a safe integer', value);
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), 0);
    bytes.writeUInt32BE(value >>> 0, 4);
    return bytes;
  },
  deserialize(bytes) {
    checkLength('int64', 8, bytes);
    const high = (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;
    const low = ((bytes[4]! << 24) | (bytes[5]! << 16) | (bytes[6]! << 8) | bytes[7]!) >>> 0;
    const value = high * 0x1_0000_0000 + low;
    if (!Number.isSafeInteger(value)) {
      throw new MillraceError(
        'DESERIALIZATION_FAILED',
        `Serde 'int64' wants a number within ±2^53, found 0x${Buffer.from(bytes).toString('hex')}`,
        { serde: 'int64' },
      );
    }
    return value;
  },
  sizeOf: () => 8,
};

/** Any number as 8 bytes, big-endian. */
export const numberSerde: Serde<number> = {
  name: 'float64',
  serialize(value) {
    if (typeof value !== 'number') throw unserializable('float64', 'a number', value);
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleBE(value, 0);
    return bytes;
  },
  deserialize(bytes) {
    checkLength('float64', 8, bytes);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  },
  sizeOf: () => 8,
};

/** For a key or value that carries nothing. */
export const voidSerde: Serde<undefined> = {
  name: 'void',
  serialize: () => nothing,
  deserialize(bytes) {
    checkLength('void', 0, bytes);
    return undefined;
  },
  sizeOf: () => 0,
};

const nothing = new Uint8Array(0);

/**
 * JSON text. Only what JSON carries comes back as it was: no undefined inside arrays, no NaN, no Date, no Map. That
 * is for the caller to keep, since checking it would cost more than the encoding; what JSON.stringify refuses
 * (undefined, a BigInt, a cycle) is `SERIALIZATION_FAILED`.
 */
export function jsonSerde<T>(): Serde<T> {
  return {
    name: 'json',
    serialize(value) {
      let text: string | undefined;
      try {
        text = JSON.stringify(value) as string | undefined;
      } catch (cause) {
        throw new MillraceError(
          'SERIALIZATION_FAILED',
          `Serde 'json' wants a JSON value: ${(cause as Error).message}`,
          { serde: 'json' },
          { cause },
        );
      }
      if (text === undefined) throw unserializable('json', 'a JSON value', value);
      return Buffer.from(text, 'utf8');
    },
    deserialize(bytes) {
      const text = stringSerde.deserialize(bytes);
      try {
        return JSON.parse(text) as T;
      } catch (cause) {
        throw new MillraceError(
          'DESERIALIZATION_FAILED',
          `Serde 'json' wants JSON, found ${bytes.length} bytes that are not: ${(cause as Error).message}`,
          { serde: 'json', bytes: bytes.length },
          { cause },
        );
      }
    },
  };
}

function unserializable(serde: string, wanted: string, found: unknown): MillraceError {
  const shown = typeof found === 'number' ? String(found) : typeof found;
  return new MillraceError('SERIALIZATION_FAILED', `Serde '${serde}' wants ${wanted}, found ${shown}`, { serde });
}

function checkLength(serde: string, wanted: number, bytes: Uint8Array): void {
  if (bytes.length !== wanted) {
    throw new MillraceError('DESERIALIZATION_FAILED', `Serde '${serde}' wants ${wanted} bytes, found ${bytes.length}`, {
      serde,
      wanted,
      found: bytes.length,
    });
  }
}
