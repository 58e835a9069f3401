/**
 * What a file gives, in batches: the part of reading that is the same whatever a row is and whatever it becomes.
 *
 *     bytes ─ chunks ─▶ ChunkReader ─ accept, reject ─▶ RowBatches ─ take ─▶ batches
 *
 * Batches are cut by rows, not by chunks: the same way in every run, so that a load that was stopped can leave out what it
 * has loaded. What was read before an unreadable place is delivered before the failure.
 */
import type { SourceReject } from './event-source.ts';
import type { SourceBytes } from './source-bytes.ts';

/** Why a row is nothing: the rule it breaks, for counting, and a sentence with what was wanted and found. */
export type Refusal = Pick<SourceReject, 'rule' | 'reason'>;

export interface FileBatch<T> {
  readonly items: readonly T[];
  /** Of each item, at its place: the line of the file where its row begins. */
  readonly lines: readonly number[];
  readonly rejects: readonly SourceReject[];
  /** Of the file as stored, from its start. */
  readonly bytesRead: number;
}

/** Turns bytes into rows, and says what they became to the batches it was made with. */
export interface ChunkReader {
  push(chunk: Uint8Array): void;
  /** The end of the input: what is left is the last row. */
  end(): void;
}

/** Rows of a batch, accepted and refused. */
const batchRows = 1000;
/** A batch ends after so many rows that became nothing, however little it holds: its reader shows progress, and may stop. */
const passedRowsMax = 50_000;

/** Collects what rows become, and cuts it into batches. */
export class RowBatches<T> {
  readonly file: string;
  #items: T[] = [];
  /** Parallel to `#items`. */
  #lines: number[] = [];
  #rejects: SourceReject[] = [];
  #passed = 0;
  #full: Omit<FileBatch<T>, 'bytesRead'>[] = [];

  /** @param file its name, for rejects. */
  constructor(file: string) {
    this.file = file;
  }

  accept(item: T, line: number): void {
    this.#items.push(item);
    this.#lines.push(line);
  }

  reject({ line, rule, reason, raw }: Omit<SourceReject, 'file'>): void {
    this.#rejects.push({ file: this.file, line, rule, reason, raw });
  }

  /** A row became nothing. */
  pass(): void {
    this.#passed++;
  }

  /** A row is done: a batch may end here, so what one row became is never torn apart. */
  endRow(): void {
    if (this.#items.length + this.#rejects.length >= batchRows || this.#passed >= passedRowsMax) this.#cut();
  }

  /** The batches that are full, and on demand the rest. */
  take({ rest = false } = {}): readonly Omit<FileBatch<T>, 'bytesRead'>[] {
    if (rest && this.#items.length + this.#rejects.length > 0) this.#cut();
    const full = this.#full;
    this.#full = [];
    return full;
  }

  #cut(): void {
    this.#full.push({ items: this.#items, lines: this.#lines, rejects: this.#rejects });
    this.#items = [];
    this.#lines = [];
    this.#rejects = [];
    this.#passed = 0;
  }
}

/**
 * Everything that `reader` puts into `batches`, as it reads `bytes` to their end.
 * @throws what reading or the reader throws, when what came before has been delivered.
 */
export async function* readBatches<T>(
  bytes: SourceBytes,
  reader: ChunkReader,
  batches: RowBatches<T>,
): AsyncGenerator<FileBatch<T>, void, undefined> {
  let failure: Error | undefined;
  try {
    for await (const chunk of bytes.chunks()) {
      reader.push(chunk);
      for (const batch of batches.take()) yield { ...batch, bytesRead: bytes.bytesRead() };
    }
    reader.end();
  } catch (error) {
    failure = error as Error;
  }
  for (const batch of batches.take({ rest: true })) yield { ...batch, bytesRead: bytes.bytesRead() };
  if (failure !== undefined) throw failure;
}

/** A value of the file in a reason. */
export function found(text: string): string {
  return `found ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}`;
}
