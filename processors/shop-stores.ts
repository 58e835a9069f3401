import { bytesSerde, int64Serde, stringSerde, type Serde } from '../schemas/index.ts';
import { ByteReader } from './binary/byte-reader.ts';
import { ByteWriter } from './binary/byte-writer.ts';
import { productRowSerde } from './catalogue/product-row.ts';
import { monthOfFunnelsSerde } from './categories/category-funnels.ts';
import { categoryProductSerde } from './categories/category-products.ts';
import { categoryTopsSerde } from './categories/category-tops.ts';
import { categoryVersionsSerde } from './categories/category-versions.ts';
import { monthOfHoursSerde } from './hours/month-of-hours.ts';
import { chunkKeySerde } from './packed/chunk-key.ts';
import { chunkSerde } from './packed/chunk.ts';
import { pairTotalsSerde } from './pairs/pair-totals.ts';
import { productStatsSerde } from './products/product-stats.ts';
import { productTitlesSerde } from './products/product-titles.ts';
import { hyperLogLogSerde } from './products/product-users.ts';
import { sessionSerde } from './sessions/session.ts';
import { sessionWindowsSerde } from './sessions/session-window.ts';
import { storeNames } from './store-names.ts';
import { userProductsSerde } from './users/user-products.ts';
import { userProfileSerde } from './users/user-profile.ts';

const writer = new ByteWriter();

/** A count, as varint. */
export const countSerde: Serde<number> = {
  name: 'count',
  serialize: (count) => writer.begin().varint(count).finish(),
  deserialize(bytes) {
    const reader = new ByteReader('count', bytes);
    const count = reader.varint();
    reader.end();
    return count;
  },
  sizeOf: () => 16,
};

/** Key and value serdes of every store, by its name: how rows and changes are read from outside the topology. */
export const storeSerdes = {
  [storeNames.eventsSeen]: { key: chunkKeySerde, value: chunkSerde },
  [storeNames.cleanseCounters]: { key: stringSerde, value: countSerde },
  [storeNames.productStats]: { key: stringSerde, value: productStatsSerde },
  [storeNames.productHours]: { key: stringSerde, value: monthOfHoursSerde },
  [storeNames.productUsers]: { key: stringSerde, value: hyperLogLogSerde },
  [storeNames.productTitles]: { key: stringSerde, value: productTitlesSerde },
  [storeNames.titleWords]: { key: stringSerde, value: bytesSerde },
  [storeNames.catalogueCounters]: { key: stringSerde, value: countSerde },
  [storeNames.products]: { key: stringSerde, value: productRowSerde },
  [storeNames.productCategories]: { key: stringSerde, value: categoryVersionsSerde },
  [storeNames.categoryHours]: { key: stringSerde, value: monthOfHoursSerde },
  [storeNames.categoryFunnels]: { key: stringSerde, value: monthOfFunnelsSerde },
  [storeNames.categoryProducts]: { key: stringSerde, value: categoryProductSerde },
  [storeNames.categoryTops]: { key: stringSerde, value: categoryTopsSerde },
  [storeNames.userProfiles]: { key: stringSerde, value: userProfileSerde },
  [storeNames.userProducts]: { key: stringSerde, value: userProductsSerde },
  [storeNames.sessions]: { key: stringSerde, value: sessionSerde },
  [storeNames.sessionWindows]: { key: stringSerde, value: sessionWindowsSerde },
  [storeNames.sessionCategories]: { key: stringSerde, value: categoryVersionsSerde },
  [storeNames.productSessions]: { key: stringSerde, value: bytesSerde },
  [storeNames.pairTotals]: { key: stringSerde, value: pairTotalsSerde },
  [storeNames.pairItems]: { key: stringSerde, value: countSerde },
  [storeNames.pairItemNames]: { key: int64Serde, value: stringSerde },
  [storeNames.marginals]: { key: int64Serde, value: countSerde },
  [storeNames.pairs]: { key: chunkKeySerde, value: chunkSerde },
} as const;
