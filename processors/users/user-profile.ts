import type { Interaction, Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { exactSum, quantityOf, revenueOf } from '../products/amount.ts';

/**
 * A row of the store `user-profiles`.
 *
 *     bytes: | views | carts | purchases | returns | quantity zigzag | spend zigzag | firstSeenMs | lastSeenMs |
 *            | n u8 | { productId | timestamp | eventId } × n |
 */
export interface UserProfile {
  views: number;
  carts: number;
  purchases: number;
  returns: number;
  quantity: number;
  /** In 1/10,000 of the currency, bought less returned. */
  spend: number;
  firstSeenMs: number;
  lastSeenMs: number;
  /**
   * The 20 products with the greatest latest (timestamp, eventId) of any event that is neither return nor service,
   * greatest first. Keeping 20 is exact: what falls out can only come back with an event of its own that is greater.
   */
  readonly recent: RecentProduct[];
}

export interface RecentProduct {
  readonly productId: string;
  readonly timestamp: number;
  readonly eventId: string;
}

export function newUserProfile(): UserProfile {
  return {
    views: 0,
    carts: 0,
    purchases: 0,
    returns: 0,
    quantity: 0,
    spend: 0,
    firstSeenMs: Number.MAX_SAFE_INTEGER,
    lastSeenMs: 0,
    recent: [],
  };
}

export function addToProfile(profile: UserProfile, event: Interaction): void {
  const quantity = exactSum(profile.quantity, quantityOf(event), 'Quantity of a user');
  const spend = exactSum(profile.spend, revenueOf(event), 'Spend of a user');
  profile.quantity = quantity;
  profile.spend = spend;
  if (event.type === 'view') profile.views += 1;
  else if (event.type === 'cart') profile.carts += 1;
  else if (event.type === 'purchase') profile.purchases += 1;
  else if (event.type === 'return') profile.returns += 1;
  if (event.timestamp < profile.firstSeenMs) profile.firstSeenMs = event.timestamp;
  if (event.timestamp > profile.lastSeenMs) profile.lastSeenMs = event.timestamp;
  if (event.type !== 'return' && !event.service) addRecent(profile.recent, event);
}

function addRecent(recent: RecentProduct[], { productId, timestamp, eventId }: Interaction): void {
  const product = { productId, timestamp, eventId };
  const known = recent.findIndex((other) => other.productId === productId);
  if (known >= 0) {
    if (!isLater(product, recent[known]!)) return;
    recent.splice(known, 1);
  }
  let at = 0;
  while (at < recent.length && isLater(recent[at]!, product)) at += 1;
  if (at === recentMax) return;
  recent.splice(at, 0, product);
  if (recent.length > recentMax) recent.pop();
}

function isLater(a: RecentProduct, b: RecentProduct): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  // One event id in two partitions is two events: only the product tells them apart then.
  return a.eventId === b.eventId ? a.productId > b.productId : a.eventId > b.eventId;
}

export const userProfileSerde: Serde<UserProfile> = {
  name: 'user-profile',
  serialize(profile) {
    writer
      .begin()
      .varint(profile.views)
      .varint(profile.carts)
      .varint(profile.purchases)
      .varint(profile.returns)
      .zigzag(profile.quantity)
      .zigzag(profile.spend)
      .varint(profile.firstSeenMs)
      .varint(profile.lastSeenMs)
      .byte(profile.recent.length);
    for (const { productId, timestamp, eventId } of profile.recent) {
      writer.text(productId).varint(timestamp).text(eventId);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('user-profile', bytes);
    const profile: UserProfile = {
      views: reader.varint(),
      carts: reader.varint(),
      purchases: reader.varint(),
      returns: reader.varint(),
      quantity: reader.zigzag(),
      spend: reader.zigzag(),
      firstSeenMs: reader.varint(),
      lastSeenMs: reader.varint(),
      recent: [],
    };
    for (let left = reader.byte(); left > 0; left -= 1) {
      profile.recent.push({ productId: reader.text(), timestamp: reader.varint(), eventId: reader.text() });
    }
    reader.end();
    return profile;
  },
  sizeOf: ({ recent }) => 250 + recent.length * 160,
};

export const recentMax = 20;
const writer = new ByteWriter();
