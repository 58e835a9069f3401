/**
 * Event files in CSV with a fixed header: one row, one event or one reject.
 *
 * A format says which columns it wants and what a row means; here is what all of them share. An event's id tells equal
 * rows of a file apart and is the same whenever the file is read again:
 *
 *     fields   the columns of the format, trimmed, joined by the byte 0x1F
 *     eventId  the first 12 bytes of SHA-256 of fields, then the ordinal u32 BE among equal rows: 32 hex digits
 *
 * Rejects take no ordinal. Rules of every format: `columns`, `torn`, `oversized`, `encoding` (csv-rows.ts), and `field`
 * for a bound of `validateInteraction`.
 */
import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Interaction, isInvalidField, MillraceError, validateInteraction } from '../schemas/index.ts';
import { CsvRows, type RawRow } from './csv-rows.ts';
import type { EventSource, SourceBatch, SourceReject } from './event-source.ts';
import { LineOrdinals } from './line-ordinals.ts';
import { fileBytes } from './source-bytes.ts';

/** What a row says, without its id. */
export type EventFacts = Omit<Partial<Interaction>, 'eventId'>;

export interface Refusal {
  readonly rule: string;
  readonly reason: string;
}

export interface CsvEventFormat {
  /** Wanted in this order. Event ids are made of them. */
  readonly columns: readonly string[];
  /** May follow them, in this order; not read. */
  readonly ignored?: readonly string[];
  /** `fields` are trimmed, one a column. */
  event(fields: readonly string[]): EventFacts | Refusal;
}

/**
 * A file (plain, `.gz` or `.br`) as a source of events.
 * @throws MillraceError `SOURCE_UNREADABLE` when it is missing; while reading, when its header or compression is wrong.
 */
export async function openCsvEvents(path: string, format: CsvEventFormat): Promise<EventSource> {
  const name = basename(path);
  const { size } = await stat(path).catch((cause: unknown) => {
    const why = (cause as Error).message;
    throw new MillraceError('SOURCE_UNREADABLE', `Cannot read '${name}': ${why}`, { file: name }, { cause });
  });
  return { name, bytesTotal: size, batches: () => readBatches(path, name, format) };
}

async function* readBatches(
  path: string,
  name: string,
  format: CsvEventFormat,
): AsyncGenerator<SourceBatch, void, undefined> {
  const bytes = fileBytes(path);
  const reader = new EventRows(name, format);
  const rows = new CsvRows(reader, { columns: format.columns.length });
  let failure: Error | undefined;
  try {
    for await (const chunk of bytes.chunks()) {
      rows.push(chunk);
      for (const batch of reader.take()) yield { ...batch, bytesRead: bytes.bytesRead() };
    }
    rows.end();
    reader.end();
  } catch (error) {
    failure = error as Error;
  }
  for (const batch of reader.take({ rest: true })) yield { ...batch, bytesRead: bytes.bytesRead() };
  if (failure !== undefined) throw failure;
}

/** Batches are cut by rows, not by chunks: the same way in every run. */
const batchRows = 1000;

class EventRows {
  readonly #file: string;
  readonly #format: CsvEventFormat;
  readonly #ordinals = new LineOrdinals();
  #width: number | undefined;
  #events: Interaction[] = [];
  #lines: number[] = [];
  #rejects: SourceReject[] = [];
  #full: Omit<SourceBatch, 'bytesRead'>[] = [];

  constructor(file: string, format: CsvEventFormat) {
    this.#file = file;
    this.#format = format;
  }

  row(fields: readonly string[], line: number, source: RawRow): void {
    if (this.#width === undefined) {
      this.#header(fields);
      return;
    }
    const result = this.#event(fields, this.#width);
    if ('rule' in result) this.#rejects.push({ ...result, line, raw: source.raw(), file: this.#file });
    else {
      this.#events.push(result);
      this.#lines.push(line);
    }
    this.#cut(batchRows);
  }

  damaged(damage: Omit<SourceReject, 'file'>): void {
    if (this.#width === undefined) this.#header([Buffer.from(damage.raw).toString('latin1')]);
    this.#rejects.push({ ...damage, file: this.#file });
    this.#cut(batchRows);
  }

  end(): void {
    if (this.#width === undefined) this.#header([]);
  }

  /** The batches that are full, and on demand the rest. */
  take({ rest = false } = {}): readonly Omit<SourceBatch, 'bytesRead'>[] {
    if (rest) this.#cut(1);
    const full = this.#full;
    this.#full = [];
    return full;
  }

  #cut(rows: number): void {
    if (this.#events.length + this.#rejects.length < rows) return;
    this.#full.push({ events: this.#events, lines: this.#lines, rejects: this.#rejects });
    this.#events = [];
    this.#lines = [];
    this.#rejects = [];
  }

  #header(found: readonly string[]): void {
    const { columns, ignored = [] } = this.#format;
    const all = [...columns, ...ignored];
    if (found.length >= columns.length && found.every((name, at) => name.trim() === all[at])) {
      this.#width = found.length;
      return;
    }
    const wanted = columns.join(',');
    const shown = found.length === 0 ? 'nothing' : JSON.stringify(found.join(',').slice(0, 200));
    throw new MillraceError('SOURCE_UNREADABLE', `'${this.#file}' wants the columns ${wanted}; found ${shown}`, {
      file: this.#file,
      wanted,
      found: shown,
    });
  }

  #event(fields: readonly string[], width: number): Interaction | Refusal {
    if (fields.length !== width) return { rule: 'columns', reason: `wants ${width} columns, found ${fields.length}` };
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
    return { ...checked, eventId: this.#eventId(line) };
  }

  #eventId(line: string): string {
    const digest = hash('sha256', line, 'hex');
    const high = Number.parseInt(digest.slice(0, 8), 16);
    const low = Number.parseInt(digest.slice(8, 16), 16);
    return digest.slice(0, 24) + this.#ordinals.next(high, low).toString(16).padStart(8, '0');
  }
}

/** A value of the file in a reason. */
export function found(text: string): string {
  return `found ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}`;
}
