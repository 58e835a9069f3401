/**
 * Our own event files: interactions as `POST /v1/events` takes them and `millrace generate` writes them.
 *
 * | form   | a row                                                                                                  |
 * |--------|--------------------------------------------------------------------------------------------------------|
 * | NDJSON | an interaction as a JSON object, one a line                                                            |
 * | CSV    | a header that names fields of an interaction, in any order; `productId`, `type` and one of `userId`, `sessionId` at least. Values are those of JSON: price in 1/10,000, timestamp in ms since epoch, service `true` or `false`. They are trimmed, and an empty one is left out |
 *
 * `.csv`, `.ndjson` and `.jsonl` say the form (before `.gz` or `.br`); with any other name it is NDJSON when the first line
 * begins with `{`.
 *
 * Two fields may be left out that the API wants:
 *
 *     timestamp  the time of arrival, when the file was opened
 *     eventId    made (event-ids.ts) of all fields in the schema's order, as JSON, with null for it and for a timestamp that was left out
 *
 * So an id does not hold the time of arrival: an event without a time, in a file that is loaded again within the horizon in which
 * cleansing knows ids, is the same event. The price: equal events without a time are one event *across files* as well, within
 * that horizon; inside a file their ordinals tell them apart. Who has more than one such file gives times or ids.
 *
 * A row that breaks a bound of `validateInteraction` is a reject, `field`. The other rules: those of json-lines.ts and csv-file.ts.
 */
import { basename } from 'node:path';
import {
  type Interaction,
  isInvalidField,
  MillraceError,
  validateInteraction,
  interactionFields,
} from '../schemas/index.ts';
import { type CsvPass, readCsv } from './csv-file.ts';
import { csvBounds } from './csv-rows.ts';
import { EventIds } from './event-ids.ts';
import type { EventSource, SourceBatch } from './event-source.ts';
import type { Refusal } from './file-batches.ts';
import type { FirstLine } from './first-line.ts';
import { type JsonObject, type JsonPass, type LineRow, readJsonLines } from './json-lines.ts';
import { fileBytes, fileSize, firstLine } from './source-bytes.ts';

/**
 * A file (plain, `.gz` or `.br`) as a source of events.
 * @throws MillraceError `SOURCE_UNREADABLE` when it cannot be read; while reading, when the header of a CSV names a field that
 * interactions do not have, or not enough.
 */
export async function openMillraceEvents(path: string): Promise<EventSource> {
  const name = basename(path);
  const bytesTotal = await fileSize(path);
  const form = formOf(name) ?? ((await firstLine(path)).trimStart().startsWith('{') ? 'ndjson' : 'csv');
  const openedMs = Date.now();
  return {
    name,
    bytesTotal,
    batches: () => (form === 'csv' ? readRows(path, openedMs) : readLines(path, openedMs)),
  };
}

function formOf(name: string): 'csv' | 'ndjson' | undefined {
  const [, extension] = /\.(csv|ndjson|jsonl)(?:\.gz|\.br)?$/i.exec(name) ?? [];
  if (extension === undefined) return undefined;
  return extension.toLowerCase() === 'csv' ? 'csv' : 'ndjson';
}

async function* readLines(path: string, openedMs: number): AsyncGenerator<SourceBatch, void, undefined> {
  const pass = new EventLines(new Arrivals(openedMs));
  for await (const { items, ...rest } of readJsonLines(fileBytes(path), pass)) yield { events: items, ...rest };
}

async function* readRows(path: string, openedMs: number): AsyncGenerator<SourceBatch, void, undefined> {
  const bytes = fileBytes(path);
  const pass = new EventRows(bytes.name, new Arrivals(openedMs));
  const shape = { fieldBytesMax: csvBounds.rowBytesMax };
  for await (const { items, ...rest } of readCsv(bytes, pass, shape)) yield { events: items, ...rest };
}

/** Gives events the id and the time that they lack. One is one pass over one file. */
class Arrivals {
  readonly #ids = new EventIds();
  readonly #openedMs: number;

  constructor(openedMs: number) {
    this.#openedMs = openedMs;
  }

  event(given: JsonObject): Interaction | Refusal {
    const { eventId = 'none yet', timestamp = this.#openedMs } = given;
    const event = validateInteraction({ ...given, eventId, timestamp }, Number.POSITIVE_INFINITY);
    if (isInvalidField(event)) return { rule: 'field', reason: `${event.field} ${event.reason}`.trimStart() };
    if (given['eventId'] !== undefined) return event;
    const said = { ...event, eventId: null, timestamp: given['timestamp'] ?? null };
    return { ...event, eventId: this.#ids.next(JSON.stringify(said)) };
  }
}

class EventLines implements JsonPass<Interaction> {
  readonly #arrivals: Arrivals;

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  line(value: JsonObject): readonly LineRow<Interaction>[] {
    return [this.#arrivals.event(value)];
  }
}

class EventRows implements CsvPass<Interaction> {
  readonly #file: string;
  readonly #arrivals: Arrivals;
  #names: readonly string[] = [];

  constructor(file: string, arrivals: Arrivals) {
    this.#file = file;
    this.#arrivals = arrivals;
  }

  header(names: readonly string[]): number {
    this.#names = names.map((name) => name.trim());
    if (isEventHeader(this.#names)) return names.length;
    const wanted = `productId, type, userId or sessionId, and any others of ${interactionFields.join(', ')}, each once`;
    const shown = names.length === 0 ? 'nothing' : JSON.stringify(names.join(',').slice(0, 200));
    throw new MillraceError('SOURCE_UNREADABLE', `'${this.#file}' wants columns named ${wanted}; found ${shown}`, {
      file: this.#file,
      wanted,
      found: shown,
    });
  }

  row(fields: readonly string[]): Interaction | Refusal {
    const given: Record<string, unknown> = {};
    for (const [at, name] of this.#names.entries()) {
      const text = fields[at]!.trim();
      // A copy: a field is a slice that keeps its whole chunk alive, and events live on in caches.
      if (text !== '') given[name] = valueOf(name, Buffer.from(text).toString());
    }
    return this.#arrivals.event(given);
  }
}

/** Whether a file that begins so is one of ours: a header as wanted, or an object with a product and a type. */
export function isMillraceEvents({ names, object }: FirstLine): boolean {
  return object === undefined ? isEventHeader(names) : 'productId' in object && 'type' in object;
}

/** Whether a CSV with these column names is one of ours. */
function isEventHeader(names: readonly string[]): boolean {
  return (
    names.every((name, at) => (interactionFields as readonly string[]).includes(name) && names.indexOf(name) === at) &&
    names.includes('productId') &&
    names.includes('type') &&
    (names.includes('userId') || names.includes('sessionId'))
  );
}

const whole: ReadonlySet<string> = new Set(['quantity', 'price', 'timestamp']);

/** The value that JSON would have. What is none of the field's stays text, which validation then refuses and shows. */
function valueOf(name: string, text: string): unknown {
  if (whole.has(name) && /^-?\d{1,16}$/.test(text)) return Number(text);
  if (name === 'service' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
