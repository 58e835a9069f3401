import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { eventRelationOf, eventRelations, relationCode, type EventRelation } from '../pairs/relation.ts';

/**
 * A row of the store `sessions`: what a session has done so far (docs/architecture/shop.md, "Session").
 *
 *     bytes: | events | last | n | { item text | relation code u8 } × n |
 */
export interface Session {
  /** Events that took part, also those beyond the 200th. */
  events: number;
  /** The greatest timestamp, ms. */
  lastMs: number;
  /** The first 200, oldest first. */
  readonly items: string[];
  readonly relations: EventRelation[];
  /** How many of them are of each relation, by its code: when all are of one, `items` is its sequence. */
  readonly counts: number[];
}

export const sessionEventsMax = 200;
/** Without a session id, a longer silence starts a new session. */
export const sessionGapMs = 30 * 60_000;

export function newSession(): Session {
  return { events: 0, lastMs: 0, items: [], relations: [], counts: eventRelations.map(() => 0) };
}

export function addToSession(session: Session, item: string, relation: EventRelation): void {
  session.items.push(item);
  session.relations.push(relation);
  session.counts[relationCode(relation)]! += 1;
}

/** The items of one relation, oldest first. */
export function sequenceOf(session: Session, relation: EventRelation): readonly string[] {
  const { items, relations, counts } = session;
  const count = counts[relationCode(relation)]!;
  if (count === items.length) return items;
  if (count === 0) return none;
  return items.filter((_item, at) => relations[at] === relation);
}

export const sessionSerde: Serde<Session> = {
  name: 'session',
  serialize({ events, lastMs, items, relations }) {
    writer.begin().varint(events).varint(lastMs).varint(items.length);
    for (let at = 0; at < items.length; at += 1) writer.text(items[at]!).byte(relationCode(relations[at]!));
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('session', bytes);
    const session: Session = { ...newSession(), events: reader.varint(), lastMs: reader.varint() };
    for (let left = reader.varint(); left > 0; left -= 1) {
      addToSession(session, reader.text(), eventRelationOf(reader.byte()));
    }
    reader.end();
    return session;
  },
  sizeOf: ({ items }) => 200 + items.length * 48,
};

const none: readonly string[] = [];
const writer = new ByteWriter();
