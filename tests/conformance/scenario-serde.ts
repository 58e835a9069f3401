import type { Serde } from '../../schemas/index.ts';
import { isWindowed } from './expression.ts';

/**
 * Keys and values of scenarios: strings, integers, floats, booleans and windowed keys, all in one serde, ordered as the
 * peer orders them (text by bytes, integers by size).
 *
 *     | 'i' | i64 BE, sign bit flipped |     | 's' | utf8 |     | 'j' | JSON, anything else |
 */
export const scenarioSerde: Serde<unknown> = {
  name: 'scenario',
  serialize(value) {
    if (typeof value === 'string') return tagged('s', Buffer.from(value, 'utf8'));
    if (Number.isSafeInteger(value)) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value as number) + signBit));
      return tagged('i', bytes);
    }
    return tagged(
      'j',
      Buffer.from(JSON.stringify(isWindowed(value) ? { key: value.key, window: value.window } : value)),
    );
  },
  deserialize(bytes) {
    const rest = Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1);
    switch (String.fromCharCode(bytes[0]!)) {
      case 's':
        return rest.toString('utf8');
      case 'i':
        return Number(BigInt.asIntN(64, rest.readBigUInt64BE() - signBit));
      default:
        return JSON.parse(rest.toString('utf8')) as unknown;
    }
  },
};

const signBit = 1n << 63n;

function tagged(tag: string, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(tag), bytes]);
}
