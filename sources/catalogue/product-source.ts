import type { Product } from '../../schemas/index.ts';
import type { SourceReject } from '../event-source.ts';

/** Where a catalogue comes from: as `EventSource`, with products in place of events. */
export interface ProductSource {
  /** Shown to people and written into dead letters: the file's name. */
  readonly name: string;
  /** Of the file as stored; undefined when not known. */
  readonly bytesTotal: number | undefined;
  /**
   * Everything from the start, in the file's order; may be called again. Nothing is read ahead of the consumer but one chunk.
   * @throws MillraceError `SOURCE_UNREADABLE` when the file as a whole cannot be read; a bad row is a reject.
   */
  batches(): AsyncIterable<ProductBatch>;
}

export interface ProductBatch {
  /** Valid (`validateProduct`); each id once a file, unless the format has versions of a product. */
  readonly products: readonly Product[];
  /** Of each product, at its place: the line of the file where its row begins. */
  readonly lines: readonly number[];
  readonly rejects: readonly SourceReject[];
  /** Fields of these products that could not be used and are unknown, counted by rule: the field's name. */
  readonly unusable: Readonly<Record<string, number>>;
  /** Of the file as stored, from its start. */
  readonly bytesRead: number;
}
