import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mix32, murmur3, murmur3Bytes } from './murmur3.ts';

describe('murmur3', () => {
  // Vectors of the reference implementation, as Wikipedia and several libraries list them.
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aa', 0x9747b28c, 0x5d211726],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ])('of %j with seed %i is the reference hash', (text, seed, expected) => {
    expect(murmur3(text, seed)).toBe(expected);
  });

  it('of a string is the hash of its UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(), (text, seed) => {
        expect(murmur3(text, seed)).toBe(murmur3Bytes(Buffer.from(text, 'utf8'), seed));
      }),
    );
  });

  it('finds a character beyond ASCII at every place', () => {
    for (let place = 0; place < 9; place += 1) {
      const text = `${'x'.repeat(place)}é${'y'.repeat(8 - place)}`;
      expect(murmur3(text, 7)).toBe(murmur3Bytes(Buffer.from(text, 'utf8'), 7));
    }
  });
});

it('mix32 gives each of 65,536 neighbouring numbers another value', () => {
  const seen = new Set<number>();
  for (let i = 0; i < 65_536; i += 1) seen.add(mix32(i));
  expect(seen.size).toBe(65_536);
});
