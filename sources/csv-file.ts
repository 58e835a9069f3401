/**
 * CSV files with a header, read for any kind of row: the header is looked at, each row becomes something or a reject, and what
 * is damaged is a reject too (csv-rows.ts). A format says which columns it wants and what a row means.
 *
 * Rules of every format: `columns`, `torn`, `oversized`, `encoding`.
 */
import { MillraceError } from '../schemas/index.ts';
import { type CsvDamage, CsvRows, type CsvShape, type RawRow } from './csv-rows.ts';
import { type ChunkReader, type FileBatch, readBatches, type Refusal, RowBatches } from './file-batches.ts';
import type { SourceBytes } from './source-bytes.ts';

/** One pass over one file: what must begin anew with each, as ordinals, is held in here. */
export interface CsvPass<T> {
  /**
   * Looks at the first row's fields as they stand; none when the file is empty. Gives how many columns each row must have.
   * @throws MillraceError `SOURCE_UNREADABLE`.
   */
  header(names: readonly string[]): number;
  /**
   * `fields` are as many as wanted; they may be slices of a chunk: copy what is kept. Undefined: the row is sound and says
   * nothing.
   */
  row(fields: readonly string[]): T | Refusal | undefined;
}

/** The rows of a file, in its order. */
export function readCsv<T extends object>(
  bytes: SourceBytes,
  pass: CsvPass<T>,
  { name = bytes.name, ...shape }: CsvShape & { readonly name?: string } = {},
): AsyncGenerator<FileBatch<T>, void, undefined> {
  const batches = new RowBatches<T>(name);
  return readBatches(bytes, new CsvReader(pass, batches, shape), batches);
}

class CsvReader<T extends object> implements ChunkReader {
  readonly #pass: CsvPass<T>;
  readonly #batches: RowBatches<T>;
  readonly #rows: CsvRows;
  #width: number | undefined;

  constructor(pass: CsvPass<T>, batches: RowBatches<T>, shape: CsvShape) {
    this.#pass = pass;
    this.#batches = batches;
    this.#rows = new CsvRows(this, shape);
  }

  push(chunk: Uint8Array): void {
    this.#rows.push(chunk);
  }

  end(): void {
    this.#rows.end();
    if (this.#width === undefined) this.#pass.header([]);
  }

  row(fields: readonly string[], line: number, source: RawRow): void {
    if (this.#width === undefined) {
      this.#width = this.#pass.header(fields);
      return;
    }
    const result = fields.length === this.#width ? this.#pass.row(fields) : otherWidth(this.#width, fields.length);
    if (result === undefined) this.#batches.pass();
    else if (isRefusal(result)) this.#batches.reject({ ...result, line, raw: source.raw() });
    else this.#batches.accept(result, line);
    this.#batches.endRow();
  }

  damaged(damage: CsvDamage): void {
    this.#width ??= this.#pass.header([Buffer.from(damage.raw).toString('latin1')]);
    this.#batches.reject(damage);
    this.#batches.endRow();
  }
}

function isRefusal(result: object): result is Refusal {
  return 'rule' in result;
}

function otherWidth(wanted: number, columns: number): Refusal {
  return { rule: 'columns', reason: `wants ${wanted} columns, found ${columns}` };
}

/**
 * For formats with a fixed header: the wanted columns in their order, then any first ones of `ignored`. Gives how many there are.
 * @throws MillraceError `SOURCE_UNREADABLE` with what was wanted and found.
 */
export function requireColumns(
  file: string,
  names: readonly string[],
  { columns, ignored = [] }: FixedColumns,
): number {
  if (fitsColumns(names, { columns, ignored })) return names.length;
  throw otherHeader(file, names, columns.join(','));
}

export interface FixedColumns {
  /** Wanted in this order. */
  readonly columns: readonly string[];
  /** May follow them, in this order; not read. */
  readonly ignored?: readonly string[];
}

export function fitsColumns(names: readonly string[], { columns, ignored = [] }: FixedColumns): boolean {
  const all = [...columns, ...ignored];
  return names.length >= columns.length && names.every((name, at) => name.trim() === all[at]);
}

/** @param wanted as the message shows it. */
export function otherHeader(file: string, names: readonly string[], wanted: string): MillraceError {
  const shown = names.length === 0 ? 'nothing' : JSON.stringify(names.join(',').slice(0, 200));
  return new MillraceError('SOURCE_UNREADABLE', `'${file}' wants the columns ${wanted}; found ${shown}`, {
    file,
    wanted,
    found: shown,
  });
}
