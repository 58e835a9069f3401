import type { Engine } from '../../state/engine.ts';
import type { PartitionLog } from './partition-log.ts';
import { decodeBatchHeader, decodeRecordBatch } from './record-batch.ts';

/**
 * What lies in a partition, by stretches of about a mebibyte: bytes and the largest timestamp.
 *
 * Built by reading the partition once when somebody first asks for a time or a size, then extended by what has come
 * since; kept in memory only, as the topics one asks about are few. Timestamps need not grow with offsets, so the
 * first offset at or after `t` is found as Kafka does: the first stretch, then batch, then record that reaches `t`.
 */
export class TimeIndex {
  readonly #engine: Engine;
  readonly #partition: PartitionLog;
  #stretches: Stretch[] = [];
  #building: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, partition: PartitionLog) {
    this.#engine = engine;
    this.#partition = partition;
  }

  /** The first offset whose timestamp is at or after `timestamp`; undefined when there is none. */
  async offsetAt(timestamp: number): Promise<number | undefined> {
    const partition = this.#partition;
    for (const stretch of await this.#upToDate()) {
      if (stretch.maxTimestamp < timestamp) continue;
      const range = { gte: partition.key(stretch.from), lt: partition.key(stretch.to) };
      for await (const chunk of this.#engine.range('log', range)) {
        for (const { value } of chunk) {
          if (decodeBatchHeader(value).maxTimestamp < timestamp) continue;
          const { records } = decodeRecordBatch(value);
          const found = records.find((r) => r.timestamp >= timestamp && r.offset >= partition.logStart);
          if (found !== undefined) return found.offset;
        }
      }
    }
    return undefined;
  }

  /** Stored bytes between the log start and the last stable offset. */
  async bytes(): Promise<number> {
    return (await this.#upToDate()).reduce((sum, stretch) => sum + stretch.bytes, 0);
  }

  /** After compaction: the bytes are others now. */
  forget(): void {
    this.#building = this.#building.then(() => (this.#stretches = []));
  }

  #upToDate(): Promise<readonly Stretch[]> {
    const built = this.#building.then(() => this.#extend());
    // Its caller hears of a failure, which left the stretches as they were: the next one extends them again.
    this.#building = built.catch(() => undefined);
    return built;
  }

  async #extend(): Promise<readonly Stretch[]> {
    const { logStart, lastStable } = this.#partition;
    const stretches = this.#stretches.filter((stretch) => stretch.to > logStart);
    const head = stretches[0];
    if (head !== undefined && head.from < logStart) stretches.splice(0, 1, ...(await this.#measure(logStart, head.to)));
    const last = stretches.at(-1);
    const open = last !== undefined && last.bytes < stretchBytes ? stretches.pop() : undefined;
    stretches.push(...(await this.#measure(open?.to ?? last?.to ?? logStart, lastStable, open)));
    this.#stretches = stretches;
    return [...stretches];
  }

  /** Measures `[from, to)`, going on with `open` if one is given. */
  async #measure(from: number, to: number, open?: Stretch): Promise<Stretch[]> {
    const done: Stretch[] = [];
    let current = open ?? empty(from);
    const range = { gte: this.#partition.key(from), lt: this.#partition.key(Math.max(from, to)) };
    for await (const chunk of this.#engine.range('log', range)) {
      for (const { value } of chunk) {
        const header = decodeBatchHeader(value);
        current = {
          from: current.from,
          to: header.lastOffset + 1,
          bytes: current.bytes + value.length,
          maxTimestamp: Math.max(current.maxTimestamp, header.maxTimestamp),
        };
        if (current.bytes < stretchBytes) continue;
        done.push(current);
        current = empty(current.to);
      }
    }
    if (current.bytes > 0) done.push(current);
    return done;
  }
}

interface Stretch {
  /** Offsets `[from, to)`. */
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly maxTimestamp: number;
}

function empty(from: number): Stretch {
  return { from, to: from, bytes: 0, maxTimestamp: Number.NEGATIVE_INFINITY };
}

const stretchBytes = 1024 * 1024;
