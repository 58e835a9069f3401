import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, keyAfter, prefixEnd } from './byte-order.ts';
import type { KeyCodec } from './key-codec.ts';
import { bytesKey, int64Key, tupleKey, uint32Key, utf8Key, windowedKey } from './key-codecs.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: fc.constantFrom('\0', '\u0001', '\u00ff', 'a', '\uffff', '😀'), maxLength: 4 }),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 5 }).map((of) => Uint8Array.from(of)),
);
const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(2 ** 32, -(2 ** 32), 2 ** 32 - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);
const uint32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 1, 255, 256, 0xffff_ffff));

const byNumber = (a: number, b: number) => a - b;
const byCodePoints = (a: string, b: string) => compareBytes(Buffer.from(a), Buffer.from(b));

interface Case<K> {
  readonly codec: KeyCodec<K>;
  readonly keys: fc.Arbitrary<K>;
  readonly order: (a: K, b: K) => number;
}

function holds<K>({ codec, keys, order }: Case<K>): void {
  describe(`key codec ${codec.name}`, () => {
    it('orders bytes as it orders keys', () => {
      fc.assert(
        fc.property(keys, keys, (a, b) => {
          expect(Math.sign(compareBytes(codec.encode(a), codec.encode(b)))).toBe(Math.sign(order(a, b)));
        }),
      );
    });

    it('gives the key back', () => {
      fc.assert(
        fc.property(keys, (key) => {
          expect(order(codec.decode(codec.encode(key)), key)).toBe(0);
        }),
      );
    });

    it('gives the key back from a view into a larger buffer', () => {
      fc.assert(
        fc.property(keys, (key) => {
          const around = Uint8Array.from([9, 9, 9, ...codec.encode(key), 9]);
          expect(order(codec.decode(around.subarray(3, around.length - 1)), key)).toBe(0);
        }),
      );
    });

    it('has one token a key, and no two keys share one', () => {
      fc.assert(
        fc.property(keys, keys, (a, b) => {
          expect(codec.token(a) === codec.token(b)).toBe(order(a, b) === 0);
          expect(codec.token(codec.decode(codec.encode(a)))).toBe(codec.token(a));
        }),
      );
    });

    it('says the length of its keys only if it is always the same', () => {
      fc.assert(
        fc.property(keys, (key) => {
          if (codec.fixedBytes !== undefined) expect(codec.encode(key).length).toBe(codec.fixedBytes);
        }),
      );
    });
  });
}

holds({ codec: utf8Key, keys: text, order: byCodePoints });
holds({ codec: bytesKey, keys: bytes, order: compareBytes });
holds({ codec: int64Key, keys: integer, order: byNumber });
holds({ codec: uint32Key, keys: uint32, order: byNumber });
holds({
  codec: tupleKey(utf8Key, int64Key),
  keys: fc.tuple(text, integer),
  order: (a, b) => byCodePoints(a[0], b[0]) || a[1] - b[1],
});
holds({
  codec: tupleKey(bytesKey, bytesKey, uint32Key, bytesKey),
  keys: fc.tuple(bytes, bytes, uint32, bytes),
  order: (a, b) => compareBytes(a[0], b[0]) || compareBytes(a[1], b[1]) || a[2] - b[2] || compareBytes(a[3], b[3]),
});
holds({
  codec: tupleKey(uint32Key, int64Key),
  keys: fc.tuple(uint32, integer),
  order: (a, b) => a[0] - b[0] || a[1] - b[1],
});
holds({
  codec: tupleKey(tupleKey(utf8Key, bytesKey), utf8Key),
  keys: fc.tuple(fc.tuple(text, bytes), text),
  order: (a, b) => byCodePoints(a[0][0], b[0][0]) || compareBytes(a[0][1], b[0][1]) || byCodePoints(a[1], b[1]),
});
holds({
  codec: windowedKey(utf8Key),
  keys: fc.record({ key: text, windowStartMs: integer }),
  order: (a, b) => a.windowStartMs - b.windowStartMs || byCodePoints(a.key, b.key),
});

describe('key codecs', () => {
  it('lay bytes out as drawn', () => {
    const hex = (of: Uint8Array) => Buffer.from(of).toString('hex');
    expect(hex(int64Key.encode(0))).toBe('8000000000000000');
    expect(hex(int64Key.encode(-1))).toBe('7fffffffffffffff');
    expect(hex(uint32Key.encode(258))).toBe('00000102');
    expect(hex(tupleKey(utf8Key, uint32Key, utf8Key).encode(['a\0', 1, 'b\0']))).toBe(
      '6100ff' + '0001' + '00000001' + '6200',
    );
    expect(hex(windowedKey(utf8Key).encode({ key: 'a', windowStartMs: 1 }))).toBe('800000000000000161');
  });

  it('refuse keys that they would not give back', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error;
    expect(() => utf8Key.encode('a\ud800')).toThrow(invalid);
    for (const key of [0.5, NaN, 2 ** 53, Infinity]) expect(() => int64Key.encode(key)).toThrow(invalid);
    for (const key of [-1, 2 ** 32, 0.5, NaN]) expect(() => uint32Key.encode(key)).toThrow(invalid);
  });

  it('say so when a tuple is cut off', () => {
    const codec = tupleKey(utf8Key, utf8Key);
    const cut = codec.encode(['abc', '']).subarray(0, 4);
    expect(() => codec.decode(cut)).toThrow(expect.objectContaining({ code: 'DESERIALIZATION_FAILED' }));
  });
});

describe('byte order', () => {
  it('ends a prefix right above everything that starts with it', () => {
    fc.assert(
      fc.property(bytes, bytes, (prefix, other) => {
        const end = prefixEnd(prefix);
        const inRange = compareBytes(prefix, other) <= 0 && compareBytes(other, end) < 0;
        const startsWith = compareBytes(prefix, other.subarray(0, prefix.length)) === 0;
        expect(inRange).toBe(startsWith);
        expect(compareBytes(Buffer.concat([prefix, other]), end)).toBeLessThan(0);
      }),
    );
  });

  it('has nothing between a key and the one after it', () => {
    fc.assert(
      fc.property(bytes, bytes, (key, other) => {
        expect(compareBytes(other, keyAfter(key)) < 0).toBe(compareBytes(other, key) <= 0);
      }),
    );
  });
});
