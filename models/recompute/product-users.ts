import type { Database } from './database.ts';
import { murmur3 } from './murmur3.ts';

/**
 * HyperLogLog registers of the users of each product, kept sparse: most products have few.
 *
 *     entry    register * 64 + rank, ascending; registers that are 0 are left out
 *     register h1 >>> 20            h1 = murmur3(user, 0)
 *     rank     leading zeros of h2, plus 1 (33 when h2 = 0)      h2 = murmur3(user, 0x9747b28c)
 *
 * Anonymous events and returns do not take part.
 */
export type SparseRegisters = readonly number[];

export const registerCount = 4096;

export function registerOf(userId: string): { readonly register: number; readonly rank: number } {
  const bytes = Buffer.from(userId, 'utf8');
  return { register: murmur3(bytes, 0) >>> 20, rank: Math.clz32(murmur3(bytes, 0x9747b28c)) + 1 };
}

export function denseRegisters(sparse: SparseRegisters): Uint8Array {
  const registers = new Uint8Array(registerCount);
  for (const entry of sparse) registers[entry >>> 6] = entry & 63;
  return registers;
}

export async function productUsers(database: Database): Promise<Map<string, SparseRegisters>> {
  const found = new Map<string, SparseRegisters>();
  let product: string | undefined;
  let ranks = new Map<number, number>();
  const settle = (): void => {
    if (product === undefined) return;
    found.set(
      product,
      [...ranks].map(([register, rank]) => register * 64 + rank).toSorted((a, b) => a - b),
    );
    ranks = new Map();
  };
  const hashed = new Map<string, { readonly register: number; readonly rank: number }>();
  const sql = `
    SELECT DISTINCT product_id, user_id FROM events WHERE type <> 'return' AND user_id IS NOT NULL
    ORDER BY product_id`;
  for await (const [productId, userId] of database.rows<[string, string]>(sql)) {
    if (productId !== product) settle();
    product = productId;
    let user = hashed.get(userId);
    if (user === undefined) hashed.set(userId, (user = registerOf(userId)));
    ranks.set(user.register, Math.max(ranks.get(user.register) ?? 0, user.rank));
  }
  settle();
  return found;
}
