/**
 * JSON lines (NDJSON) from chunks of bytes: one JSON object a line, UTF-8. The line is the unit of damage.
 *
 *     line    = JSON object (LF | CRLF | end of input)
 *     bounds  a line has at most 1 MiB, so at most one is carried from chunk to chunk
 *
 * Blank lines are no rows. A byte-order mark before the first line is dropped. Rules of every format: `json` (no JSON object: torn,
 * or something else), `oversized`, `encoding`.
 */
import { csvBounds } from './csv-rows.ts';
import { type ChunkReader, type FileBatch, found, readBatches, type Refusal, RowBatches } from './file-batches.ts';
import type { SourceBytes } from './source-bytes.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What a line became: so many rows, each something or a reject of its own. */
export type LineRow<T> = T | PartRefusal;

/** A part of a line that is refused: `raw` is what stands for it in the dead letter. Default: the whole line. */
export type PartRefusal = Refusal & { readonly raw?: Uint8Array };

/** One pass over one file. */
export interface JsonPass<T> {
  line(value: JsonObject): readonly LineRow<T>[];
}

export const jsonBounds = { lineBytesMax: 1 << 20 } as const;

/** What the lines of a file become, in its order. */
export function readJsonLines<T extends object>(
  bytes: SourceBytes,
  pass: JsonPass<T>,
): AsyncGenerator<FileBatch<T>, void, undefined> {
  const batches = new RowBatches<T>(bytes.name);
  return readBatches(bytes, new JsonLines(pass, batches), batches);
}

const newline = 10;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

class JsonLines<T extends object> implements ChunkReader {
  readonly #pass: JsonPass<T>;
  readonly #batches: RowBatches<T>;
  #carry: Uint8Array = new Uint8Array(0);
  /** Of the first byte that was not consumed. */
  #line = 1;
  /** Inside a line that was reported as oversized: drop bytes up to its end. */
  #skipping = false;

  constructor(pass: JsonPass<T>, batches: RowBatches<T>) {
    this.#pass = pass;
    this.#batches = batches;
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    let at = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, at)) {
      if (this.#skipping) this.#skipping = false;
      else this.#read(bytes.subarray(at, end));
      this.#line++;
      at = end + 1;
    }
    // A copy: a view would keep the whole chunk.
    this.#carry = this.#skipping ? new Uint8Array(0) : Uint8Array.prototype.slice.call(bytes, at);
    if (this.#carry.length > jsonBounds.lineBytesMax) {
      this.#read(this.#carry);
      this.#carry = new Uint8Array(0);
      this.#skipping = true;
    }
  }

  end(): void {
    if (!this.#skipping) this.#read(this.#carry);
  }

  #read(bytes: Uint8Array): void {
    const raw = bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes;
    const line = parsed(raw);
    if (line === undefined) return;
    const rows: readonly LineRow<T>[] = 'rule' in line ? [line] : this.#pass.line(line.object);
    for (const row of rows) {
      // A copy here as well: dead letters wait for the log.
      if (isRefusal(row)) {
        this.#batches.reject({ raw: raw.slice(0, csvBounds.rowBytesMax), ...row, line: this.#line });
      } else this.#batches.accept(row, this.#line);
    }
    this.#batches.endRow();
  }
}

function isRefusal(row: object): row is PartRefusal {
  return 'rule' in row && 'reason' in row;
}

/** The object of a line; undefined when the line is blank. */
function parsed(bytes: Uint8Array): { readonly object: JsonObject } | Refusal | undefined {
  if (bytes.length > jsonBounds.lineBytesMax) {
    return { rule: 'oversized', reason: `wants a line of at most ${jsonBounds.lineBytesMax} bytes, found more` };
  }
  let text: string;
  try {
    // Drops a byte-order mark.
    text = strictUtf8.decode(bytes);
  } catch {
    return { rule: 'encoding', reason: 'wants UTF-8, found other bytes' };
  }
  if (text.trim() === '') return undefined;
  try {
    const object: unknown = JSON.parse(text);
    if (isJsonObject(object)) return { object };
  } catch {
    // Told below: the parser's own words are long and differ between versions of Node.
  }
  return { rule: 'json', reason: `wants a JSON object, ${found(text)}` };
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value of the file in a reason. */
export function foundValue(value: unknown): string {
  if (value === undefined) return 'found none';
  if (typeof value === 'string') return found(value);
  const text = JSON.stringify(value);
  return `found ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
}
