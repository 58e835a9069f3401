import { expect, it } from 'vitest';
import type { Product } from '../../schemas/index.ts';
import { productRowSerde } from '../catalogue/product-row.ts';
import type { CategoryChange } from './category-change.ts';
import { categoryChangeSerde } from './category-change-serde.ts';
import { monthOfFunnelsSerde } from './category-funnels.ts';
import { categoryProductKey, parseCategoryProductKey } from './category-products.ts';

const trend = { refMs: 1_290_000_000_000, fast: 1.5, slow: 2.25 };

it.each<CategoryChange>([
  { kind: 'hours', hourMs: 3_600_000, views: -1, carts: 2, purchases: -3, returns: 4, quantity: -5, revenue: 6e12 },
  { kind: 'funnel', dayMs: 86_400_000, bits: 7, windows: -1 },
  { kind: 'product', productId: 'ü', active: false, service: true, purchases: 3, trend },
  { kind: 'product', productId: 'ü', active: true, service: false, purchases: 0, trend },
  { kind: 'gone', productId: 'a/b' },
])('a category change comes back from its bytes: %o', (change) => {
  expect(categoryChangeSerde.deserialize(categoryChangeSerde.serialize(change))).toEqual(change);
});

const full: Product = {
  id: 'ü',
  title: 'Lamp',
  category: 'home',
  price: 10_000,
  listPrice: 20_000,
  currency: 'GBP',
  stars: 450,
  reviews: 3,
  bestSeller: true,
  imageUrl: 'http://127.0.0.1/i.png',
  url: 'http://127.0.0.1/',
  active: false,
  updatedAt: 1_290_000_000_000,
};
const optional = ['title', 'category', 'price', 'listPrice', 'currency', 'stars', 'imageUrl', 'url'] as const;

it.each([full, { ...full, active: true, bestSeller: false }, ...optional.map((field) => ({ ...full, [field]: null }))])(
  'a product comes back from its bytes: %o',
  (product) => {
    expect(productRowSerde.deserialize(productRowSerde.serialize(product))).toEqual(product);
  },
);

it('a month of funnels comes back from its bytes', () => {
  const month = [
    { day: 1, windows: [1, 0, 300, 0, 0, 0, 7] },
    { day: 31, windows: [0, 0, 0, 0, 0, 0, 1] },
  ];
  expect(monthOfFunnelsSerde.deserialize(monthOfFunnelsSerde.serialize(month))).toEqual(month);
});

it.each([
  ['', 'a'],
  ['a/b', 'c/d'],
  ['1:x', '2:y'],
])('the key of product %2$s in category %1$s says which they are', (category, productId) => {
  expect(parseCategoryProductKey(categoryProductKey(category, productId))).toEqual({ category, productId });
});
