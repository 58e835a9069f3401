/** A primitive that identifies a key inside one node for the life of a batch or a cache flush. */
export function keyToken(key: unknown): string | number {
  if (typeof key === 'string' || typeof key === 'number') return key;
  return JSON.stringify(key, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)) ?? 'undefined';
}
