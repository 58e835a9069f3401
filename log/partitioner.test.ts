import { expect, test } from 'vitest';
import { murmur2, partitionForKey } from './partitioner.ts';

// Vectors of org.apache.kafka.common.utils.UtilsTest#testMurmur2.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of %s is what Kafka computes', (text, hash) => {
  expect(murmur2(new TextEncoder().encode(text))).toBe(hash);
});

test('a null key goes to partition 0', () => {
  expect(partitionForKey(null, 7)).toBe(0);
});

test('a negative hash gives a partition in range', () => {
  const key = new TextEncoder().encode('21');
  expect(partitionForKey(key, 4)).toBe((-973932308 & 0x7fffffff) % 4);
});
