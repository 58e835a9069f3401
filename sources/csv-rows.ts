/**
 * CSV (RFC 4180) from chunks of bytes, for files that are damaged here and there.
 *
 * A general parser gives up, or swallows the file up to the next quote, where a quote is never closed. This one treats
 * the *physical line* as the unit of damage: when a row cannot be read, its first physical line is reported and
 * reading goes on with the next one. So a torn row costs itself, and what it hides costs a row each at most.
 *
 *     row     = field *("," field) (LF | CRLF | end of input)
 *     field   = text without comma or line end; a quote inside it is a plain character
 *             | '"' any bytes, '""' for a quote '"'
 *     bounds  a field has at most 4 KiB, a row 64 KiB, so at most one row is carried from chunk to chunk
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
  row(fields: readonly string[], line: number, raw: () => Uint8Array): void;
  /** One physical line that is no row. */
  damaged(damage: CsvDamage): void;
}

export interface CsvDamage {
  readonly line: number;
  readonly rule: 'torn' | 'oversized' | 'encoding';
  readonly reason: string;
  /** Without the line end; clipped to the bound of a row. */
  readonly raw: Uint8Array;
}

export const csvBounds = { fieldBytesMax: 4096, rowBytesMax: 65_536 } as const;

const newline = 10;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class CsvRows {
  readonly #handler: CsvRowHandler;
  #carry: Uint8Array = new Uint8Array(0);
  /** Of the first byte that was not consumed. */
  #line = 1;
  #started = false;
  /** Inside a line that was reported as oversized: drop bytes up to its end. */
  #skipping = false;

  constructor(handler: CsvRowHandler) {
    this.#handler = handler;
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
    const consumed = this.#readRows(data.subarray(0, complete), final);
    // A copy: a view would keep the whole chunk.
    this.#carry = Uint8Array.prototype.slice.call(data, consumed);
    if (consumed === complete && data.length - complete > csvBounds.rowBytesMax) {
      this.#report('oversized', `wants a row of at most ${csvBounds.rowBytesMax} bytes, found more`, this.#carry);
      this.#carry = new Uint8Array(0);
      this.#skipping = true;
    }
  }

  /** Reads the rows of bytes that end with a line end (or the input); gives how many bytes are done with. */
  #readRows(bytes: Uint8Array, final: boolean): number {
    if (bytes.length === 0) return 0;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const ascii = isAscii(bytes);
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
      const row = quotedRow(text, at);
      if (row.kind === 'open' && !final && text.length - at <= csvBounds.rowBytesMax) return at;
      if (row.kind === 'row') {
        this.#row(row.fields, ascii, () => rawOf(text, at, row.end));
        this.#line += 1 + row.newlines;
        at = row.end + 1;
      } else {
        const rule = row.kind === 'oversized' ? 'oversized' : 'torn';
        this.#report(rule, row.reason, rawOf(text, at, lineEnd));
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
    const raw = () => rawOf(text, start, end);
    if (end - start > csvBounds.rowBytesMax) {
      this.#report('oversized', `wants a row of at most ${csvBounds.rowBytesMax} bytes, found ${end - start}`, raw());
      return;
    }
    const fields = text.slice(start, end).split(',');
    this.#row(fields, ascii, raw);
  }

  #row(fields: string[], ascii: boolean, raw: () => Uint8Array): void {
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (field.length > csvBounds.fieldBytesMax) {
        const wanted = `wants at most ${csvBounds.fieldBytesMax} bytes in a field`;
        this.#report('oversized', `${wanted}, found ${field.length} in column ${i + 1}`, raw());
        return;
      }
      if (ascii || isAsciiText(field)) continue;
      try {
        fields[i] = strictUtf8.decode(Buffer.from(field, 'latin1'));
      } catch {
        this.#report('encoding', `wants UTF-8, found other bytes in column ${i + 1}`, raw());
        return;
      }
    }
    this.#handler.row(fields, this.#line, raw);
  }

  #report(rule: CsvDamage['rule'], reason: string, raw: Uint8Array): void {
    this.#handler.damaged({ line: this.#line, rule, reason, raw: raw.slice(0, csvBounds.rowBytesMax) });
  }
}

type QuotedRow =
  | { readonly kind: 'row'; readonly fields: string[]; readonly end: number; readonly newlines: number }
  | { readonly kind: 'open' | 'malformed' | 'oversized'; readonly reason: string };

/** The row that begins at `start` and has a quote somewhere; `end` is its line end. */
function quotedRow(text: string, start: number): QuotedRow {
  const fields: string[] = [];
  let newlines = 0;
  let at = start;
  for (;;) {
    if (at - start > csvBounds.rowBytesMax) {
      return { kind: 'oversized', reason: `wants a row of at most ${csvBounds.rowBytesMax} bytes, found more` };
    }
    if (text.charCodeAt(at) !== 0x22) {
      const lineEnd = endOfLine(text, at);
      const comma = text.indexOf(',', at);
      if (comma >= 0 && comma < lineEnd) {
        fields.push(text.slice(at, comma));
        at = comma + 1;
        continue;
      }
      fields.push(text.slice(at, lineEnd > at && text.charCodeAt(lineEnd - 1) === 13 ? lineEnd - 1 : lineEnd));
      return { kind: 'row', fields, end: lineEnd, newlines };
    }
    const close = closingQuote(text, at);
    if (close < 0) {
      return { kind: 'open', reason: `column ${fields.length + 1} opens a quote that is not closed` };
    }
    if (close - at - 1 > csvBounds.fieldBytesMax) {
      const reason = `wants at most ${csvBounds.fieldBytesMax} bytes in a field, found more in column ${fields.length + 1}`;
      return { kind: 'oversized', reason };
    }
    const field = text.slice(at + 1, close);
    fields.push(field.includes('"') ? field.replaceAll('""', '"') : field);
    newlines += countNewlines(field);
    at = close + 1;
    if (text.charCodeAt(at) === 0x2c) {
      at++;
      continue;
    }
    const end = text.charCodeAt(at) === 13 ? at + 1 : at;
    if (end >= text.length || text.charCodeAt(end) === newline) return { kind: 'row', fields, end, newlines };
    return { kind: 'malformed', reason: `wants a comma or the line's end after the quote of column ${fields.length}` };
  }
}

/** Where the quote opened at `open` is closed; -1 when it is not. Looks no further than a row may reach. */
function closingQuote(text: string, open: number): number {
  let at = open + 1;
  while (at - open <= csvBounds.rowBytesMax) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return -1;
    if (text.charCodeAt(quote + 1) !== 0x22) return quote;
    at = quote + 2;
  }
  return -1;
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

function rawOf(text: string, start: number, end: number): Uint8Array {
  return Buffer.from(text.slice(start, end), 'latin1');
}
