import type { Interaction, Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';

/**
 * A row of the store `product-titles`: every title that events of a product have named.
 *
 *     bytes: { title | events | firstMs | firstEventId } × titles, in order of arrival
 */
export interface TitleCount {
  readonly title: string;
  events: number;
  /** The first occurrence, ordered by (timestamp, eventId). */
  firstMs: number;
  firstEventId: string;
}

export function addTitle(titles: TitleCount[], title: string, { timestamp, eventId }: Interaction): void {
  const known = titles.find((other) => other.title === title);
  if (known === undefined) {
    titles.push({ title, events: 1, firstMs: timestamp, firstEventId: eventId });
    return;
  }
  known.events += 1;
  if (timestamp < known.firstMs || (timestamp === known.firstMs && eventId < known.firstEventId)) {
    known.firstMs = timestamp;
    known.firstEventId = eventId;
  }
}

/** The title of a product: the one with most events, ties to the least first occurrence; null without any. */
export function bestTitle(titles: readonly TitleCount[]): string | null {
  let best: TitleCount | undefined;
  for (const title of titles) if (best === undefined || ranksBefore(title, best)) best = title;
  return best?.title ?? null;
}

function ranksBefore(a: TitleCount, b: TitleCount): boolean {
  if (a.events !== b.events) return a.events > b.events;
  if (a.firstMs !== b.firstMs) return a.firstMs < b.firstMs;
  if (a.firstEventId !== b.firstEventId) return a.firstEventId < b.firstEventId;
  return a.title < b.title;
}

export const productTitlesSerde: Serde<TitleCount[]> = {
  name: 'product-titles',
  serialize(titles) {
    writer.begin();
    for (const { title, events, firstMs, firstEventId } of titles) {
      writer.text(title).varint(events).varint(firstMs).text(firstEventId);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('product-titles', bytes);
    const titles: TitleCount[] = [];
    while (!reader.atEnd) {
      titles.push({
        title: reader.text(),
        events: reader.varint(),
        firstMs: reader.varint(),
        firstEventId: reader.text(),
      });
    }
    return titles;
  },
  sizeOf: (titles) =>
    titles.reduce((bytes, { title, firstEventId }) => bytes + 120 + title.length + firstEventId.length, 64),
};

const writer = new ByteWriter();
