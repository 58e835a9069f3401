import type { Interaction, Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { hourMs, hourOf } from '../categories/category-versions.ts';
import { countsOf, readCounts, sumOfCounts, writeCounts, type Counts } from '../hours/counts.ts';

/**
 * The session windows of one key, ascending: the row of `session-windows` (docs/architecture/shop.md, "Session windows").
 *
 * Kafka Streams' session windows with a gap (30 minutes by default) and no end of grace: an event less than a gap away from a window
 * belongs to it, one between two windows makes them one. Windows are never changed in place: who holds a row holds the
 * windows of that moment.
 *
 *     bytes: { startMs | endMs − startMs | counts |
 *              0, or 1 and user text, its time − startMs, its event id |
 *              n | { product text | hour − that of startMs | bits u8 } × n } × windows            numbers varints
 */
export type SessionWindows = readonly SessionWindow[];

export interface SessionWindow extends Readonly<Counts> {
  readonly startMs: number;
  /** Of the last event; inclusive. */
  readonly endMs: number;
  /** Of the latest event that names one, by (timestamp, event id, user). */
  readonly user: WindowUser | null;
  /** Ascending by (product, hour). */
  readonly products: readonly WindowProduct[];
}

export interface WindowUser {
  readonly userId: string;
  readonly timestampMs: number;
  readonly eventId: string;
}

/** What was done with a product in one hour. */
export interface WindowProduct {
  readonly productId: string;
  /** UTC start of the hour. */
  readonly hourMs: number;
  /** viewed 1, carted 2, purchased 4, added up. */
  readonly bits: number;
}

/** Whether an event belongs to a window at all. */
export function countsForWindow({ service }: Interaction): boolean {
  return !service;
}

/** What an event says was done with its product: viewed 1, carted 2, purchased 4, anything else 0. */
export function bitOf({ type }: Interaction): number {
  if (type === 'view') return 1;
  if (type === 'cart') return 2;
  return type === 'purchase' ? 4 : 0;
}

/** The windows with one more event, in whatever order events come. */
export function withEvent(windows: SessionWindows, event: Interaction, gapMs: number): SessionWindows {
  const { timestamp } = event;
  let to = windows.length;
  while (to > 0 && windows[to - 1]!.startMs - timestamp > gapMs) to -= 1;
  let from = to;
  while (from > 0 && timestamp - windows[from - 1]!.endMs <= gapMs) from -= 1;
  const merged = windows.slice(from, to).reduce(mergeWindows, windowOf(event));
  return [...windows.slice(0, from), merged, ...windows.slice(to)];
}

function windowOf(event: Interaction): SessionWindow {
  const { timestamp, userId, eventId, productId } = event;
  const bits = bitOf(event);
  return {
    startMs: timestamp,
    endMs: timestamp,
    user: userId === null ? null : { userId, timestampMs: timestamp, eventId },
    ...countsOf(event),
    products: bits === 0 ? [] : [{ productId, hourMs: hourOf(timestamp), bits }],
  };
}

function mergeWindows(a: SessionWindow, b: SessionWindow): SessionWindow {
  return {
    startMs: Math.min(a.startMs, b.startMs),
    endMs: Math.max(a.endMs, b.endMs),
    user: laterUser(a.user, b.user),
    ...sumOfCounts(a, b),
    products: mergeProducts(a.products, b.products),
  };
}

function laterUser(a: WindowUser | null, b: WindowUser | null): WindowUser | null {
  if (a === null || b === null) return a ?? b;
  if (a.timestampMs !== b.timestampMs) return a.timestampMs > b.timestampMs ? a : b;
  if (a.eventId !== b.eventId) return a.eventId > b.eventId ? a : b;
  return a.userId > b.userId ? a : b;
}

/** Two sorted lists as one; the same product and hour are one entry. */
function mergeProducts(a: readonly WindowProduct[], b: readonly WindowProduct[]): readonly WindowProduct[] {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const merged: WindowProduct[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const order = i === a.length ? 1 : j === b.length ? -1 : compare(a[i]!, b[j]!);
    if (order < 0) merged.push(a[i++]!);
    else if (order > 0) merged.push(b[j++]!);
    else merged.push({ ...a[i]!, bits: a[i++]!.bits | b[j++]!.bits });
  }
  return merged;
}

function compare(a: WindowProduct, b: WindowProduct): number {
  if (a.productId !== b.productId) return a.productId < b.productId ? -1 : 1;
  return a.hourMs - b.hourMs;
}

export const sessionWindowsSerde: Serde<SessionWindows> = {
  name: 'session-windows',
  serialize(windows) {
    writer.begin();
    for (const window of windows) {
      const { startMs, endMs, user, products } = window;
      writer.varint(startMs).varint(endMs - startMs);
      writeCounts(writer, window);
      writer.byte(user === null ? 0 : 1);
      if (user !== null)
        writer
          .text(user.userId)
          .varint(user.timestampMs - startMs)
          .text(user.eventId);
      writer.varint(products.length);
      const hour = Math.floor(startMs / hourMs);
      for (const product of products) {
        writer
          .text(product.productId)
          .varint(product.hourMs / hourMs - hour)
          .byte(product.bits);
      }
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('session-windows', bytes);
    const windows: SessionWindow[] = [];
    while (!reader.atEnd) windows.push(readWindow(reader));
    return windows;
  },
  sizeOf: (windows) => windows.reduce((sum, { products }) => sum + 250 + products.length * 90, 64),
};

function readWindow(reader: ByteReader): SessionWindow {
  const startMs = reader.varint();
  const hour = Math.floor(startMs / hourMs);
  return {
    startMs,
    endMs: startMs + reader.varint(),
    ...readCounts(reader),
    user:
      reader.byte() === 0
        ? null
        : { userId: reader.text(), timestampMs: startMs + reader.varint(), eventId: reader.text() },
    products: Array.from({ length: reader.varint() }, () => ({
      productId: reader.text(),
      hourMs: (hour + reader.varint()) * hourMs,
      bits: reader.byte(),
    })),
  };
}

const writer = new ByteWriter();
