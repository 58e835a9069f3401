import { createHash } from 'node:crypto';
import type { BatchWriter, Engine } from '../../state/index.ts';

/**
 * Which event ids this process has acknowledged lately, so that a retry over HTTP is answered as a duplicate.
 *
 * A convenience of the answer only: whatever slips through is dropped by the cleanse step. Rows of the meta family:
 *
 *     | "event-id/" | day of arrival u32 | first 16 bytes of SHA-256 of the event id |  → empty
 *
 * Today's and yesterday's rows are looked at; older days are dropped. A row is written behind its event, never before
 * it, so that no crash can make an event a duplicate of one that was lost.
 */
export class EventIndex {
  readonly #engine: Engine;
  readonly #nowMs: () => number;
  /** Ids whose append is under way. */
  readonly #inFlight = new Map<string, Promise<unknown>>();
  #cleanedDay = -1;

  constructor(engine: Engine, nowMs: () => number) {
    this.#engine = engine;
    this.#nowMs = nowMs;
  }

  /** Indexes of ids that have been acknowledged, or stand earlier in the same list. Waits for those under way. */
  async duplicates(ids: readonly string[]): Promise<Set<number>> {
    const under = ids.map((id) => this.#inFlight.get(id)).filter((append) => append !== undefined);
    await Promise.allSettled(under);
    const day = this.#day();
    const keys = ids.flatMap((id) => [eventKey(day, id), eventKey(day - 1, id)]);
    const found = await this.#engine.getMany('meta', keys);
    const seen = new Set<string>();
    const duplicates = new Set<number>();
    ids.forEach((id, index) => {
      if (found[2 * index] !== undefined || found[2 * index + 1] !== undefined || seen.has(id)) duplicates.add(index);
      seen.add(id);
    });
    return duplicates;
  }

  /** Marks ids as under way until `append` settles. */
  track(ids: readonly string[], append: Promise<unknown>): void {
    for (const id of ids) this.#inFlight.set(id, append);
    const forget = (): void => {
      for (const id of ids) if (this.#inFlight.get(id) === append) this.#inFlight.delete(id);
    };
    append.then(forget, forget);
  }

  stage(writer: BatchWriter, ids: readonly string[]): void {
    const day = this.#day();
    for (const id of ids) writer.put('meta', eventKey(day, id), new Uint8Array());
    if (this.#cleanedDay === day) return;
    this.#cleanedDay = day;
    writer.deleteRange('meta', dayPrefix(0), dayPrefix(day - 1));
  }

  /** Forgets ids, as if they had never been acknowledged. */
  stageRemoval(writer: BatchWriter, ids: readonly string[]): void {
    const day = this.#day();
    for (const id of ids) for (const of of [day, day - 1]) writer.delete('meta', eventKey(of, id));
  }

  #day(): number {
    return Math.floor(this.#nowMs() / 86_400_000);
  }
}

const prefix = Buffer.from('event-id/');

function dayPrefix(day: number): Uint8Array {
  const bytes = Buffer.alloc(prefix.length + 4);
  prefix.copy(bytes);
  bytes.writeUInt32BE(day, prefix.length);
  return bytes;
}

function eventKey(day: number, id: string): Uint8Array {
  return Buffer.concat([dayPrefix(day), createHash('sha256').update(id).digest().subarray(0, 16)]);
}
