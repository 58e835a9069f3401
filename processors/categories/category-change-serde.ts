import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import type { CategoryChange } from './category-change.ts';

/**
 * Category changes on the topology's own topics.
 *
 *     hours:    | 0 | hourMs | views | carts | purchases | returns | quantity | revenue |     all but hourMs zigzag
 *     funnel:   | 1 | dayMs | bits | windows zigzag |
 *     product:  | 2 | productId | active + 2 · service | purchases | refMs | fast f64 | slow f64 |
 *     gone:     | 3 | productId |
 */
export const categoryChangeSerde: Serde<CategoryChange> = {
  name: 'category-change',
  serialize(change) {
    writer.begin();
    switch (change.kind) {
      case 'hours': {
        const { hourMs, views, carts, purchases, returns, quantity, revenue } = change;
        writer.byte(0).varint(hourMs).zigzag(views).zigzag(carts).zigzag(purchases).zigzag(returns);
        return writer.zigzag(quantity).zigzag(revenue).finish();
      }
      case 'funnel':
        return writer.byte(1).varint(change.dayMs).varint(change.bits).zigzag(change.windows).finish();
      case 'product': {
        const { productId, active, service, purchases, trend } = change;
        writer
          .byte(2)
          .text(productId)
          .byte((active ? 1 : 0) | (service ? 2 : 0));
        return writer.varint(purchases).varint(trend.refMs).double(trend.fast).double(trend.slow).finish();
      }
      case 'gone':
        return writer.byte(3).text(change.productId).finish();
    }
  },
  deserialize(bytes) {
    const reader = new ByteReader('category-change', bytes);
    const change = readChange(reader);
    reader.end();
    return change;
  },
};

function readChange(reader: ByteReader): CategoryChange {
  switch (reader.byte()) {
    case 0:
      return {
        kind: 'hours',
        hourMs: reader.varint(),
        views: reader.zigzag(),
        carts: reader.zigzag(),
        purchases: reader.zigzag(),
        returns: reader.zigzag(),
        quantity: reader.zigzag(),
        revenue: reader.zigzag(),
      };
    case 1:
      return { kind: 'funnel', dayMs: reader.varint(), bits: reader.varint(), windows: reader.zigzag() };
    case 2: {
      const productId = reader.text();
      const flags = reader.byte();
      const purchases = reader.varint();
      const trend = { refMs: reader.varint(), fast: reader.double(), slow: reader.double() };
      return { kind: 'product', productId, active: (flags & 1) !== 0, service: (flags & 2) !== 0, purchases, trend };
    }
    default:
      return { kind: 'gone', productId: reader.text() };
  }
}

const writer = new ByteWriter();
