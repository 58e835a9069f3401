import { describe, expect, it } from 'vitest';
import { avroSerde } from './avro-serde.ts';
import { openEmbeddedRegistry } from './embedded-registry.ts';
import { productSchema, validateProduct, type Product } from './product.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const now = 1_700_000_000_000;

const full: Product = {
  id: 'B014TMV5YE',
  title: 'Expandable Roller Luggage',
  category: 'Suitcases',
  price: 1_399_900,
  listPrice: null,
  currency: 'USD',
  stars: 450,
  reviews: 12,
  bestSeller: false,
  imageUrl: 'https://example.org/i.jpg',
  url: 'https://example.org/p',
  active: true,
  updatedAt: now,
};

describe('validateProduct', () => {
  it('fills in what was left out, a missing time with now', () => {
    expect(validateProduct({ id: 'p' }, now)).toEqual({
      ...full,
      id: 'p',
      title: null,
      category: null,
      price: null,
      currency: null,
      stars: null,
      reviews: 0,
      imageUrl: null,
      url: null,
    });
  });

  it('takes a whole product as it is', () => {
    expect(validateProduct({ ...full }, now)).toEqual(full);
  });

  it.each([
    ['id', ''],
    ['title', 7],
    ['category', 'x'.repeat(201)],
    ['price', 0],
    ['listPrice', 1.5],
    ['currency', 'usd'],
    ['stars', 501],
    ['reviews', -1],
    ['bestSeller', 'False'],
    ['active', null],
    ['imageUrl', '\uD800'],
    ['updatedAt', now + 5 * 60_000 + 1],
    ['colour', 'red'],
  ])('refuses %s %j and names the field', (field, value) => {
    expect(validateProduct({ ...full, [field]: value }, now)).toMatchObject({ field });
  });

  it('refuses what is no object', () => {
    expect(validateProduct([full], now)).toEqual({ field: '', reason: 'wants an object, found an array' });
  });
});

it('survives its Avro schema', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-product-'));
  try {
    const registry = await openEmbeddedRegistry(folder);
    const serde = await avroSerde<Product>(registry, { subject: 'products-value', schema: productSchema });
    expect({ ...serde.deserialize(serde.serialize(full)) }).toEqual(full);
  } finally {
    await rm(folder, { recursive: true });
  }
});
