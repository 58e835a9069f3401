/**
 * OTTO (RecSys data set of the shop otto.de): a session a line, with all its events.
 *
 *     {"session":0,"events":[{"aid":1517085,"ts":1659304800025,"type":"clicks"}, …]}
 *
 * | field                         | event                                                                        |
 * |-------------------------------|------------------------------------------------------------------------------|
 * | session `0`                   | sessionId `0`; the file has no users: userId null                            |
 * | aid `1517085`                 | productId `1517085`                                                          |
 * | ts `1659304800025`            | timestamp, ms since epoch                                                    |
 * | type                          | clicks is `view`, carts `cart`, orders `purchase`                            |
 *
 * No prices: 0. Other fields are not read. The event id is made (event-ids.ts) of session, aid, ts and type, joined by the byte
 * 0x1F: equal events of a session are told apart, and loading a file again gives the same ids, however its sessions are cut
 * into files.
 *
 * A line without a session or events is a reject: `session`, `events`. An event that breaks a rule is a reject of its own, and the
 * session's others stay: `product`, `date`, `type`, `field`. Its dead letter holds the session with that event alone, which is a
 * line of this format. The other rules: those of json-lines.ts.
 */
import { basename } from 'node:path';
import { type Interaction, isInvalidField, validateInteraction } from '../schemas/index.ts';
import { EventIds } from './event-ids.ts';
import type { EventSource, SourceBatch } from './event-source.ts';
import type { Refusal } from './file-batches.ts';
import type { FirstLine } from './first-line.ts';
import { foundValue, isJsonObject, type JsonObject, type JsonPass, type LineRow, readJsonLines } from './json-lines.ts';
import { fileBytes, fileSize } from './source-bytes.ts';

/**
 * A file (plain, `.gz` or `.br`) as a source of events.
 * @throws MillraceError `SOURCE_UNREADABLE` when it is missing; while reading, when its compression is damaged.
 */
export async function openOtto(path: string): Promise<EventSource> {
  return { name: basename(path), bytesTotal: await fileSize(path), batches: () => readEvents(path) };
}

async function* readEvents(path: string): AsyncGenerator<SourceBatch, void, undefined> {
  for await (const { items, ...rest } of readJsonLines(fileBytes(path), new Sessions()))
    yield { events: items, ...rest };
}

/** Whether a file that begins so is one: its first line has a session and a list of events. */
export function isOtto({ object }: FirstLine): boolean {
  return object !== undefined && 'session' in object && Array.isArray(object['events']);
}

const types = { clicks: 'view', carts: 'cart', orders: 'purchase' } as const;

class Sessions implements JsonPass<Interaction> {
  readonly #ids = new EventIds();

  line({ session, events }: JsonObject): readonly LineRow<Interaction>[] {
    const sessionId = idOf(session);
    if (sessionId === undefined) return [{ rule: 'session', reason: `wants a session id, ${foundValue(session)}` }];
    if (!Array.isArray(events) || events.length === 0) {
      return [{ rule: 'events', reason: `wants a list of events, ${foundValue(events)}` }];
    }
    return events.map((event: unknown, at) => {
      const result = this.#event(sessionId, event);
      if (!('rule' in result)) return result;
      const raw = Buffer.from(JSON.stringify({ session, events: [event] }));
      return { rule: result.rule, reason: `event ${at + 1} of ${events.length} ${result.reason}`, raw };
    });
  }

  #event(sessionId: string, event: unknown): Interaction | Refusal {
    const { aid, ts, type } = isJsonObject(event) ? event : {};
    const productId = idOf(aid);
    if (productId === undefined) return { rule: 'product', reason: `wants an aid, ${foundValue(aid)}` };
    if (typeof ts !== 'number' || !Number.isSafeInteger(ts) || ts < 0) {
      return { rule: 'date', reason: `wants ms since epoch, ${foundValue(ts)}` };
    }
    if (typeof type !== 'string' || !Object.hasOwn(types, type)) {
      return { rule: 'type', reason: `wants one of ${Object.keys(types).join(', ')}; ${foundValue(type)}` };
    }
    const facts = { sessionId, productId, timestamp: ts, type: types[type as keyof typeof types] };
    const checked = validateInteraction({ ...facts, eventId: 'none yet' }, Number.POSITIVE_INFINITY);
    if (isInvalidField(checked)) return { rule: 'field', reason: `${checked.field} ${checked.reason}` };
    return { ...checked, eventId: this.#ids.next([sessionId, productId, ts, type].join('\x1f')) };
  }
}

/** Numbers in the published files, text in those that other tools wrote. A number that JSON cannot hold exactly is no id. */
function idOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}
