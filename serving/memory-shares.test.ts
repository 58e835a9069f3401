import { expect, test } from 'vitest';
import { hostMemory, memoryShares } from './memory-shares.ts';

test('the shares leave half of the bound to what has no bound of its own', () => {
  for (const bound of [256 * 1024 ** 2, 1024 ** 3, 8 * 1024 ** 3]) {
    const { memoryBytesMax, ...shares } = memoryShares(bound);
    expect(memoryBytesMax).toBe(bound);
    const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
    expect(total).toBeLessThanOrEqual(bound * 0.5);
    expect(total).toBeGreaterThan(bound * 0.4);
  }
});

test('six memtables share what memtables get', () => {
  const shares = memoryShares(1024 ** 3);
  expect(hostMemory(shares).database.writeBufferBytes * 6).toBeLessThanOrEqual(shares.memtableBytes);
  expect(hostMemory(shares)).toMatchObject({
    storeCacheBytes: shares.storeCacheBytes,
    dirtyBytesMax: shares.dirtyBytesMax,
  });
});
