/**
 * Linear hashing (Litwin 1980): which of a row's chunks holds an entry, for any number of chunks.
 *
 * With c chunks, 2^L <= c < 2^(L+1), an entry of hash h lies in chunk `h mod 2^(L+1)` when there is such a chunk yet, else in
 * `h mod 2^L`. Growing by one splits one chunk: chunk c takes its entries from chunk `c − 2^L`, and nothing else moves.
 */
export function chunkOf(hash: number, chunks: number): number {
  const mask = -1 >>> Math.clz32(chunks);
  const chunk = hash & mask;
  return chunk < chunks ? chunk : hash & (mask >>> 1);
}

/** The chunk that is split when a row of `chunks` chunks gets one more. */
export function chunkToSplit(chunks: number): number {
  return chunks - (1 << (31 - Math.clz32(chunks)));
}
