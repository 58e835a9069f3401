/**
 * CSV (RFC 4180) from chunks of bytes, for files that are damaged here and there.
 *
 * A general parser gives up, or swallows the file up to the next quote, where a quote is never closed. This one treats
 * the *physical line* as the unit of damage: when a row cannot be read, its first physical line is reported and
 * reading goes on with the next one. A row over several lines is believed only if it has as many columns as it should,
 * so a torn row costs itself and rarely another.
 *
 *     row     = field *("," field) (LF | CRLF | end of input)
 *     field   = text without comma or line end; a quote inside it is a plain character
 *             | '"' any bytes, '""' for a quote '"'
 *     bounds  a field has at most 4 KiB, a row 64 KiB, so at most one row is carried from chunk to chunk
 *
 * The comma may be another character, as the tab of TSV: `CsvShape` has that, and the bound of a field.
 *
 * Empty lines are no rows. A byte-order mark before the first row is dropped.
 *
 * Bytes are looked at as Latin-1 text: one character a byte, so that offsets and sizes are bytes, searching is
 * native, and a row's bytes can be given back as they were. UTF-8 never hides a comma, quote or line end inside a
 * character, so only fields with bytes above 0x7F are decoded again, strictly; chunks that are pure ASCII (nearly all)
 * skip even that look.
 */
import { isAscii } from 'node:buffer';

export interface CsvRowHandler {
  /** `line` is where the row begins in the file, from 1. The strings may be slices of a chunk: copy what you keep. */
  row(fields: readonly string[], line: number, source: RawRow): void;
  /** One physical line that is no row. */
  damaged(damage: CsvDamage): void;
}

/** The bytes of the row that is being handled, without its line end; good for the time of the call. */
export interface RawRow {
  raw(): Uint8Array;
}

export interface CsvDamage {
  readonly line: number;
  readonly rule: 'torn' | 'oversized' | 'encoding';
  readonly reason: string;
  /** Without the line end; clipped to the bound of a row. */
  readonly raw: Uint8Array;
}

export interface CsvShape {
  /** A row over several lines with another number of columns is an open quote. Default: as many as the first row has. */
  readonly columns?: number;
  /** Between fields: one ASCII character, neither a quote nor a line end. Default: a comma. */
  readonly delimiter?: string;
  /** At most `csvBounds.rowBytesMax`. Default: `csvBounds.fieldBytesMax`. */
  readonly fieldBytesMax?: number;
}

export const csvBounds = { fieldBytesMax: 4096, rowBytesMax: 65_536 } as const;

const newline = 10;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class CsvRows implements RawRow {
  readonly #handler: CsvRowHandler;
  readonly #delimiter: string;
  readonly #fieldBytesMax: number;
  #columns: number | undefined;
  #carry: Uint8Array = new Uint8Array(0);
  /** Of the first byte that was not consumed. */
  #line = 1;
  #started = false;
  /** Inside a line that was reported as oversized: drop bytes up to its end. */
  #skipping = false;
  /** The row in hand: kept in fields, since a closure a row cost a twentieth of the whole reading. */
  #text = '';
  #rowStart = 0;
  #rowEnd = 0;

  constructor(handler: CsvRowHandler, shape: CsvShape) {
    this.#handler = handler;
    this.#columns = shape.columns;
    this.#delimiter = shape.delimiter ?? ',';
    this.#fieldBytesMax = shape.fieldBytesMax ?? csvBounds.fieldBytesMax;
  }

  push(chunk: Uint8Array): void {
    this.#consume(this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]), false);
  }

  /** The end of the input: what is left is the last row, with or without a line end. */
  end(): void {
    this.#consume(this.#carry, true);
  }

  #consume(bytes: Uint8Array, final: boolean): void {
    let data = bytes;
    if (this.#skipping) {
      const end = data.indexOf(newline);
      if (end < 0) {
        this.#carry = new Uint8Array(0);
        return;
      }
      this.#skipping = false;
      this.#line++;
      data = data.subarray(end + 1);
    }
    const complete = final ? data.length : data.lastIndexOf(newline) + 1;
    const consumed = this.#readRows(data.subarray(0, complete), final ? 0 : data.length);
    // A copy: a view would keep the whole chunk.
    this.#carry = Uint8Array.prototype.slice.call(data, consumed);
    if (consumed === complete && data.length - complete > csvBounds.rowBytesMax) {
      this.#handler.damaged({ line: this.#line, ...rowTooLarge, raw: this.#carry.slice(0, csvBounds.rowBytesMax) });
      this.#carry = new Uint8Array(0);
      this.#skipping = true;
    }
  }

  /**
   * Reads the rows of bytes that end with a line end (or the input); gives how many bytes are done with.
   * @param available bytes there are, with those after the last line end; 0 when no more will come.
   */
  #readRows(bytes: Uint8Array, available: number): number {
    if (bytes.length === 0) return 0;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const ascii = isAscii(bytes);
    this.#text = text;
    let at = 0;
    if (!this.#started) {
      this.#started = true;
      if (text.startsWith('\xef\xbb\xbf')) at = 3;
    }
    let nextQuote = text.indexOf('"', at);
    while (at < text.length) {
      const lineEnd = endOfLine(text, at);
      if (nextQuote >= 0 && nextQuote < at) nextQuote = text.indexOf('"', at);
      if (nextQuote < 0 || nextQuote >= lineEnd) {
        this.#plainRow(text, at, lineEnd, ascii);
        at = lineEnd + 1;
        this.#line++;
        continue;
      }
      const row = quotedRow(text, at, this.#delimiter, this.#fieldBytesMax);
      if (row.kind === 'open' && available > 0 && available - at <= csvBounds.rowBytesMax) return at;
      const damage = row.kind === 'row' ? this.#damageOf(row, ascii) : row;
      this.#rowStart = at;
      if (row.kind === 'row' && damage === undefined) {
        this.#rowEnd = row.end;
        this.#handler.row(row.fields, this.#line, this);
        this.#line += 1 + row.newlines;
        at = row.end + 1;
      } else {
        this.#rowEnd = lineEnd;
        this.#report(damage!);
        this.#line++;
        at = lineEnd + 1;
      }
    }
    return Math.min(at, bytes.length);
  }

  /** A row on one line without any quote. */
  #plainRow(text: string, start: number, lineEnd: number, ascii: boolean): void {
    const end = lineEnd > start && text.charCodeAt(lineEnd - 1) === 13 ? lineEnd - 1 : lineEnd;
    if (end === start) return;
    this.#rowStart = start;
    this.#rowEnd = lineEnd;
    const fields = text.slice(start, end).split(this.#delimiter);
    const damage = end - start > csvBounds.rowBytesMax ? rowTooLarge : this.#damageOf({ fields, newlines: 0 }, ascii);
    if (damage === undefined) this.#handler.row(fields, this.#line, this);
    else this.#report(damage);
  }

  /** What makes a row unreadable; decodes its fields where they are not ASCII. */
  #damageOf({ fields, newlines }: Fields, ascii: boolean): Damage | undefined {
    this.#columns ??= fields.length;
    if (newlines > 0 && fields.length !== this.#columns) {
      const reason = `a quote is open over ${newlines + 1} lines that together have ${fields.length} columns, not ${this.#columns}`;
      return { rule: 'torn', reason };
    }
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (field.length > this.#fieldBytesMax) return fieldTooLarge(i + 1, this.#fieldBytesMax);
      if (ascii || isAsciiText(field)) continue;
      try {
        fields[i] = strictUtf8.decode(Buffer.from(field, 'latin1'));
      } catch {
        return { rule: 'encoding', reason: `wants UTF-8, found other bytes in column ${i + 1}` };
      }
    }
    return undefined;
  }

  raw(): Uint8Array {
    const end = this.#text.charCodeAt(this.#rowEnd - 1) === 13 ? this.#rowEnd - 1 : this.#rowEnd;
    return Buffer.from(this.#text.slice(this.#rowStart, end), 'latin1');
  }

  #report({ rule, reason }: Damage): void {
    const raw = this.raw().slice(0, csvBounds.rowBytesMax);
    this.#handler.damaged({ line: this.#line, rule, reason, raw });
  }
}

interface Fields {
  readonly fields: string[];
  /** Line ends inside quoted fields. */
  readonly newlines: number;
}

type Damage = Pick<CsvDamage, 'rule' | 'reason'>;

type QuotedRow =
  | (Fields & { readonly kind: 'row'; readonly end: number })
  | (Damage & { readonly kind: 'open' | 'damaged' });

const rowTooLarge: Damage = {
  rule: 'oversized',
  reason: `wants a row of at most ${csvBounds.rowBytesMax} bytes, found more`,
};

function fieldTooLarge(column: number, bytesMax: number): Damage {
  const reason = `wants at most ${bytesMax} bytes in a field, found more in column ${column}`;
  return { rule: 'oversized', reason };
}

/** The row that begins at `start` and has a quote somewhere; `end` is its line end. */
function quotedRow(text: string, start: number, delimiter: string, fieldBytesMax: number): QuotedRow {
  const fields: string[] = [];
  let newlines = 0;
  let at = start;
  for (;;) {
    if (at - start > csvBounds.rowBytesMax) return { kind: 'damaged', ...rowTooLarge };
    if (text.charCodeAt(at) !== 0x22) {
      const lineEnd = endOfLine(text, at);
      const fieldEnd = text.indexOf(delimiter, at);
      if (fieldEnd >= 0 && fieldEnd < lineEnd) {
        fields.push(text.slice(at, fieldEnd));
        at = fieldEnd + 1;
        continue;
      }
      fields.push(text.slice(at, lineEnd > at && text.charCodeAt(lineEnd - 1) === 13 ? lineEnd - 1 : lineEnd));
      return { kind: 'row', fields, end: lineEnd, newlines };
    }
    const close = closingQuote(text, at);
    if (close < 0) {
      return { kind: 'open', rule: 'torn', reason: `column ${fields.length + 1} opens a quote that is not closed` };
    }
    if (close - at - 1 > fieldBytesMax) return { kind: 'damaged', ...fieldTooLarge(fields.length + 1, fieldBytesMax) };
    const field = text.slice(at + 1, close);
    fields.push(field.includes('"') ? field.replaceAll('""', '"') : field);
    newlines += countNewlines(field);
    at = close + 1;
    if (text[at] === delimiter) {
      at++;
      continue;
    }
    const end = text.charCodeAt(at) === 13 ? at + 1 : at;
    if (end >= text.length || text.charCodeAt(end) === newline) return { kind: 'row', fields, end, newlines };
    const wanted = delimiter === ',' ? 'a comma' : delimiter === '\t' ? 'a tab' : `'${delimiter}'`;
    const reason = `wants ${wanted} or the line's end after the quote of column ${fields.length}`;
    return { kind: 'damaged', rule: 'torn', reason };
  }
}

/** Where the quote opened at `open` is closed; -1 when it is not. Looks no further than a row may reach. */
function closingQuote(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0 || quote - open > csvBounds.rowBytesMax) return -1;
    if (text.charCodeAt(quote + 1) !== 0x22) return quote;
    at = quote + 2;
  }
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function isAsciiText(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
