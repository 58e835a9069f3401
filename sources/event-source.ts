import type { Interaction } from '../schemas/index.ts';

/** Where events come from: a file, a generator, later a catalogue or a topic of somebody else. */
export interface EventSource {
  /** Shown to people and written into dead letters: the file's name. */
  readonly name: string;
  /** With `SourceBatch.bytesRead` this makes a progress bar; undefined when the size is not known. */
  readonly bytesTotal: number | undefined;
  /**
   * Everything from the start, in the source's order; may be called again. Memory stays bounded: nothing is read
   * ahead of the consumer but one chunk, and leaving the loop early closes the source.
   * @throws MillraceError `SOURCE_UNREADABLE` when the source as a whole cannot be read; a bad line is a reject.
   */
  batches(): AsyncIterable<SourceBatch>;
}

export interface SourceBatch {
  /** Valid interactions (`validateInteraction`), but for their time, which ingest compares with its clock. */
  readonly events: readonly Interaction[];
  /** Of each event, at its place: the line of the file where its row begins, as in `SourceReject`. */
  readonly lines: readonly number[];
  /** For the dead-letter topic. In the source's order, like the events. */
  readonly rejects: readonly SourceReject[];
  /** Of the source as stored (compressed bytes of a .gz), from its start. */
  readonly bytesRead: number;
}

export interface SourceReject {
  readonly file: string;
  /** Of the line in the file where the row begins, from 1; the header is a line. */
  readonly line: number;
  /** Which rule it breaks, for counting. */
  readonly rule: string;
  /** A sentence: what was wanted, what was found. */
  readonly reason: string;
  /** As it stood in the file, without the line end; clipped to 64 KiB. Of an event refused by ingest: the event as JSON. */
  readonly raw: Uint8Array;
}
