import { expect, test } from 'vitest';
import { murmur3 } from './murmur3.ts';

test('the hash gives the published values for every length of tail', () => {
  const vectors: readonly [string, number, number][] = [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ['test', 0, 0xba6bd213],
  ];
  for (const [text, seed, hash] of vectors) expect([text, murmur3(Buffer.from(text), seed)]).toEqual([text, hash]);
});
