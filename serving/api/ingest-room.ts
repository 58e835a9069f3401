import { MillraceError } from '../../schemas/index.ts';

/** Bytes of all ingest requests that are being read or wait for the log, of every kind: the bound is the server's. */
export class IngestRoom {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes room before a body is read. Gives what gives it back; calling that again changes nothing.
   * @throws MillraceError `OVERLOADED`
   */
  take(bytes: number): () => void {
    if (this.#bytes + bytes > this.#bytesMax) {
      throw new MillraceError(
        'OVERLOADED',
        `At most ${this.#bytesMax} bytes of records may wait for the log, found ${this.#bytes}; try again later.`,
        { ingestBytesMax: this.#bytesMax },
      );
    }
    this.#bytes += bytes;
    let held = bytes;
    return () => {
      this.#bytes -= held;
      held = 0;
    };
  }
}
