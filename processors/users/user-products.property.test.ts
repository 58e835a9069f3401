import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interactionTypes, type Interaction, type InteractionType } from '../../schemas/index.ts';
import { affinityProducts, categoryAffinity } from './category-affinity.ts';
import { addUserProduct, countsForUser, userProductsSerde, type UserProducts } from './user-products.ts';

const dayMs = 86_400_000;
const event = (fields: Partial<Interaction>): Interaction => ({
  ...{ eventId: 'e', userId: 'u', sessionId: null, productId: 'p', type: 'view', quantity: 1, price: 0 },
  ...{ currency: null, timestamp: 0, title: null, service: false, ...fields },
});

const history = fc.array(
  fc
    .record({
      productId: fc.constantFrom('a', 'b', 'c', 'ü', 'Z', '\u{1F600}', '\uFF5E'),
      type: fc.constantFrom(...interactionTypes),
      timestamp: fc.nat(400).map((quarter) => quarter * (dayMs / 4)),
      service: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    })
    .map(event),
  { maxLength: 60 },
);

const weights: Partial<Record<InteractionType, number>> = { view: 1, cart: 3, purchase: 5 };

/** The page's words: every event that takes part, decayed to the product's newest. */
function byDefinition(events: readonly Interaction[]): Map<string, { refMs: number; weight: number }> {
  const parts = events.filter(({ type, service }) => weights[type] !== undefined && !service);
  const found = new Map<string, { refMs: number; weight: number }>();
  for (const { productId } of parts) {
    const own = parts.filter((other) => other.productId === productId);
    const refMs = Math.max(...own.map(({ timestamp }) => timestamp));
    const weight = own.reduce(
      (sum, { type, timestamp }) => sum + weights[type]! * 2 ** ((timestamp - refMs) / (30 * dayMs)),
      0,
    );
    found.set(productId, { refMs, weight });
  }
  return found;
}

function rowOf(events: readonly Interaction[]): UserProducts {
  const products: UserProducts = [];
  for (const one of events) if (countsForUser(one)) addUserProduct(products, one);
  return products;
}

describe('products of a user', () => {
  it('weigh what their events weigh, decayed, in whatever order these came; ascending by id, through bytes and back', () => {
    fc.assert(
      fc.property(history, (events) => {
        const products = rowOf(events);
        const expected = byDefinition(events);
        expect(products.map(({ productId }) => productId)).toEqual([...expected.keys()].toSorted());
        for (const { productId, refMs, weight } of products) {
          expect(refMs).toBe(expected.get(productId)!.refMs);
          expect(weight).toBeCloseTo(expected.get(productId)!.weight, 9);
        }
        expect(userProductsSerde.deserialize(userProductsSerde.serialize(products))).toEqual(products);
      }),
    );
  });

  it('give each category its share of the interest, products without one aside', () => {
    const categoryOf = (id: string) => ({ a: 'x', b: 'y', c: 'x', ü: 'z' })[id] ?? null;
    fc.assert(
      fc.property(history, (events) => {
        const expected = byDefinition(events);
        const toMs = Math.max(0, ...[...expected.values()].map(({ refMs }) => refMs));
        const sums = new Map<string, number>();
        for (const [id, { refMs, weight }] of expected) {
          const category = categoryOf(id);
          if (category === null) continue;
          sums.set(category, (sums.get(category) ?? 0) + weight * 2 ** ((refMs - toMs) / (30 * dayMs)));
        }
        const total = [...sums.values()].reduce((a, b) => a + b, 0);
        const shares = categoryAffinity(affinityProducts(rowOf(events)), categoryOf);
        expect(new Set(shares.map(({ category }) => category))).toEqual(new Set(sums.keys()));
        for (const { category, share } of shares) expect(share).toBeCloseTo(sums.get(category)! / total, 9);
        expect(shares.every(({ share }, at) => at === 0 || share <= shares[at - 1]!.share)).toBe(true);
      }),
    );
  });

  it('serves ten categories, ties by name, of the thousand products that weigh most', () => {
    const products: UserProducts = [];
    for (let n = 0; n < 1_200; n += 1) {
      const type = n < 1_000 ? 'purchase' : 'view';
      addUserProduct(products, event({ productId: `p${n}`, type }));
    }
    const looked = affinityProducts(products);
    expect(looked).toHaveLength(1_000);
    expect(looked.every(({ weight }) => weight === 5)).toBe(true);
    const shares = categoryAffinity(looked, (id) => `c${id.at(-1)}${Number(id.slice(1)) % 20 < 10 ? 'a' : 'b'}`);
    expect(shares.map(({ category }) => category)).toEqual(
      ['0a', '0b', '1a', '1b', '2a', '2b', '3a', '3b', '4a', '4b'].map((c) => `c${c}`),
    );
    expect(shares[0]!.share).toBeCloseTo(0.05, 12);
    expect(categoryAffinity(looked, () => null)).toEqual([]);
  });
});
