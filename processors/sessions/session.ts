import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import type { Relation } from '../pairs/relation.ts';

/**
 * A row of the store `sessions`: what a session has done so far (docs/architecture/shop.md, "Session").
 *
 *     bytes: | events | last | n | { item text | relation u8 } × n |
 */
export interface Session {
  /** Events that took part, also those beyond the 200th. */
  events: number;
  /** The greatest timestamp, ms. */
  lastMs: number;
  /** The first 200, oldest first. */
  readonly items: string[];
  readonly relations: Relation[];
  /** How many of them are `bought`: when all are or none is, `items` is the sequence of its one relation. */
  bought: number;
}

export const sessionEventsMax = 200;
/** Without a session id, a longer silence starts a new session. */
export const sessionGapMs = 30 * 60_000;

export function newSession(): Session {
  return { events: 0, lastMs: 0, items: [], relations: [], bought: 0 };
}

export function addToSession(session: Session, item: string, relation: Relation): void {
  session.items.push(item);
  session.relations.push(relation);
  if (relation === 'bought') session.bought += 1;
}

/** The items of one relation, oldest first. */
export function sequenceOf(session: Session, relation: Relation): readonly string[] {
  const { items, relations, bought } = session;
  if (bought === (relation === 'bought' ? items.length : 0)) return items;
  return items.filter((_item, at) => relations[at] === relation);
}

export const sessionSerde: Serde<Session> = {
  name: 'session',
  serialize({ events, lastMs, items, relations }) {
    writer.begin().varint(events).varint(lastMs).varint(items.length);
    for (let at = 0; at < items.length; at += 1) writer.text(items[at]!).byte(relations[at] === 'bought' ? 1 : 0);
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('session', bytes);
    const session: Session = { ...newSession(), events: reader.varint(), lastMs: reader.varint() };
    for (let left = reader.varint(); left > 0; left -= 1) {
      addToSession(session, reader.text(), reader.byte() === 1 ? 'bought' : 'viewed');
    }
    reader.end();
    return session;
  },
  sizeOf: ({ items }) => 200 + items.length * 48,
};

const writer = new ByteWriter();
