import type { EventSource, SourceBatch } from '../../sources/index.ts';

/**
 * A source without the batches that an earlier run has loaded, cut for a pace.
 *
 * Only whole batches within the first `skipRows` rows are left out, so a run that ended inside one repeats it; rows that come
 * twice are duplicates downstream. Sources cut their batches by content, the same way in every run. A row is a line of the
 * source, whatever became of it: an event or a reject.
 */
export class ResumedSource implements EventSource {
  readonly name: string;
  readonly bytesTotal: number | undefined;
  readonly #source: EventSource;
  readonly #skipRows: number;
  readonly #sliceRows: number;
  readonly #sliceFromRow: number;
  #skippedRows = 0;
  #row = 0;

  /** Batches that begin before `sliceFromRow` are left whole. */
  constructor(
    source: EventSource,
    of: { readonly skipRows: number; readonly sliceRows: number; readonly sliceFromRow?: number },
  ) {
    this.name = source.name;
    this.bytesTotal = source.bytesTotal;
    this.#source = source;
    this.#skipRows = of.skipRows;
    this.#sliceRows = of.sliceRows;
    this.#sliceFromRow = of.sliceFromRow ?? 0;
  }

  /** Rows that were left out so far. */
  get skippedRows(): number {
    return this.#skippedRows;
  }

  /** The row of the source at which the batch under way, slices of which may come one by one, begins. */
  get row(): number {
    return this.#row;
  }

  async *batches(): AsyncGenerator<SourceBatch, void, undefined> {
    this.#skippedRows = 0;
    let skipping = true;
    let next = 0;
    for await (const batch of this.#source.batches()) {
      const rows = batch.events.length + batch.rejects.length;
      this.#row = next;
      next += rows;
      skipping &&= this.#skippedRows + rows <= this.#skipRows;
      if (skipping) this.#skippedRows += rows;
      else yield* slices(batch, this.#row < this.#sliceFromRow ? Infinity : this.#sliceRows);
    }
  }
}

function* slices({ events, lines, rejects, bytesRead }: SourceBatch, sliceRows: number): Generator<SourceBatch> {
  for (let at = 0; at === 0 || at < events.length; at += sliceRows) {
    const end = at + sliceRows;
    yield {
      events: events.slice(at, end),
      lines: lines.slice(at, end),
      rejects: at === 0 ? rejects : [],
      bytesRead,
    };
  }
}
