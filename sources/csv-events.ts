/**
 * Event files in CSV with a fixed header: one row, one event or one reject.
 *
 * A format says which columns it wants and what a row means; here is what all of them share. An event's id tells equal
 * rows of a file apart and is the same whenever the file is read again:
 *
 *     text  the columns of the format, trimmed, joined by the byte 0x1F
 *     id    event-ids.ts
 *
 * Rejects take no ordinal. Rules of every format: those of csv-file.ts, and `field` for a bound of `validateInteraction`.
 */
import { basename } from 'node:path';
import { type Interaction, isInvalidField, validateInteraction } from '../schemas/index.ts';
import { type CsvPass, type FixedColumns, readCsv, requireColumns } from './csv-file.ts';
import { EventIds } from './event-ids.ts';
import type { EventSource, SourceBatch } from './event-source.ts';
import type { Refusal } from './file-batches.ts';
import { fileBytes, fileSize } from './source-bytes.ts';

/** What a row says, without its id. */
export type EventFacts = Omit<Partial<Interaction>, 'eventId'>;

/** Event ids are made of the wanted columns. */
export interface CsvEventFormat extends FixedColumns {
  /** `fields` are trimmed, one a column. */
  event(fields: readonly string[]): EventFacts | Refusal;
}

/**
 * A file (plain, `.gz` or `.br`) as a source of events.
 * @throws MillraceError `SOURCE_UNREADABLE` when it is missing; while reading, when its header or compression is wrong.
 */
export async function openCsvEvents(path: string, format: CsvEventFormat): Promise<EventSource> {
  const name = basename(path);
  return { name, bytesTotal: await fileSize(path), batches: () => readEvents(path, name, format) };
}

async function* readEvents(
  path: string,
  name: string,
  format: CsvEventFormat,
): AsyncGenerator<SourceBatch, void, undefined> {
  const pass = new EventRows(name, format);
  for await (const { items, ...rest } of readCsv(fileBytes(path), pass, { columns: format.columns.length })) {
    yield { events: items, ...rest };
  }
}

class EventRows implements CsvPass<Interaction> {
  readonly #file: string;
  readonly #format: CsvEventFormat;
  readonly #ids = new EventIds();

  constructor(file: string, format: CsvEventFormat) {
    this.#file = file;
    this.#format = format;
  }

  header(names: readonly string[]): number {
    return requireColumns(this.#file, names, this.#format);
  }

  row(fields: readonly string[]): Interaction | Refusal {
    // Copies: a field is a slice that keeps its whole chunk alive, and events live on in caches.
    const line = fields
      .slice(0, this.#format.columns.length)
      .map((field) => field.trim())
      .join('\x1f');
    const copies = Buffer.from(line).toString().split('\x1f');
    const facts = this.#format.event(copies);
    if ('rule' in facts) return facts;
    const checked = validateInteraction({ ...facts, eventId: 'none yet' }, Number.POSITIVE_INFINITY);
    if (isInvalidField(checked)) return { rule: 'field', reason: `${checked.field} ${checked.reason}` };
    return { ...checked, eventId: this.#ids.next(line) };
  }
}
