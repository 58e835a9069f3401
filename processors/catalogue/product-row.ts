import type { Product, Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';

/**
 * A row of the store `products`, and a version on the topology's own way: all fields, so that it is lossless.
 *
 *     bytes: | flags u16 | id | reviews | updatedAt | title? | category? | price? | listPrice? | currency? | stars? |
 *            | imageUrl? | url? |                                            texts as ByteWriter's, numbers varints
 *
 *     flags: low byte: which optional field is there, in this order · high byte: bit 0 active, bit 1 best seller
 */
export const productRowSerde: Serde<Product> = {
  name: 'product',
  serialize(product) {
    writer.begin().byte(presence(product));
    writer.byte((product.active ? isActive : 0) | (product.bestSeller ? isBestSeller : 0));
    writer.text(product.id).varint(product.reviews).varint(product.updatedAt);
    for (const field of optionalFields) {
      const value = product[field];
      if (typeof value === 'string') writer.text(value);
      else if (typeof value === 'number') writer.varint(value);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('product', bytes);
    const present = reader.byte();
    const flags = reader.byte();
    const id = reader.text();
    const reviews = reader.varint();
    const updatedAt = reader.varint();
    const text = (field: OptionalField): string | null => (has(present, field) ? reader.text() : null);
    const number = (field: OptionalField): number | null => (has(present, field) ? reader.varint() : null);
    // In the order of the bytes: the properties of an object literal are computed from the first to the last.
    const product: Product = {
      id,
      title: text('title'),
      category: text('category'),
      price: number('price'),
      listPrice: number('listPrice'),
      currency: text('currency'),
      stars: number('stars'),
      reviews,
      bestSeller: (flags & isBestSeller) !== 0,
      imageUrl: text('imageUrl'),
      url: text('url'),
      active: (flags & isActive) !== 0,
      updatedAt,
    };
    reader.end();
    return product;
  },
  sizeOf: ({ title, imageUrl, url }) => 300 + 2 * ((title?.length ?? 0) + (imageUrl?.length ?? 0) + (url?.length ?? 0)),
};

const optionalFields = ['title', 'category', 'price', 'listPrice', 'currency', 'stars', 'imageUrl', 'url'] as const;
type OptionalField = (typeof optionalFields)[number];

function presence(product: Product): number {
  let bits = 0;
  optionalFields.forEach((field, at) => {
    if (product[field] !== null) bits |= 1 << at;
  });
  return bits;
}

function has(present: number, field: OptionalField): boolean {
  return (present & (1 << optionalFields.indexOf(field))) !== 0;
}

const isActive = 1;
const isBestSeller = 2;
const writer = new ByteWriter();

/** Whether a serialised product is active, without reading the rest of it. */
export function isActiveRow(bytes: Uint8Array): boolean {
  return (bytes[1]! & isActive) !== 0;
}
