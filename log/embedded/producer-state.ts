import { MillraceError } from '../../schemas/errors.ts';
import type { ProduceResult, TopicPartition } from '../log.ts';

/**
 * Idempotence of one producer on one partition, by Kafka's rules.
 *
 * A batch is known by (sequence, count). The last five are remembered with their base offsets, so that a retry is
 * acknowledged with the old offset instead of being appended again; the next one must follow without a gap. A higher
 * epoch starts again at 0, a lower one is fenced. A producer nobody remembers (new, or expired) may begin anywhere.
 *
 * The state moves on when the batch is given its offset, not when it is durable: a second batch may be sent meanwhile.
 * A retry of a batch in flight waits for the first attempt. If the write fails the log stops (embedded-log.ts), and
 * what is true is read from the database again.
 */
export class ProducerState {
  epoch: number;
  atMs: number;
  #batches: AppendedBatch[];

  constructor(stored: StoredProducer = { epoch: -1, atMs: 0, batches: [] }) {
    this.epoch = stored.epoch;
    this.atMs = stored.atMs;
    this.#batches = stored.batches.map(([sequence, count, baseOffset]) => ({ sequence, count, baseOffset }));
  }

  /** The answer to a retry; undefined when the batch is the next one. */
  check(attempt: Attempt): Promise<ProduceResult> | undefined {
    const { producer, count, partition } = attempt;
    const facts = { ...partition, producer: producer.id, sequence: producer.sequence, epoch: producer.epoch };
    if (producer.epoch < this.epoch) {
      throw new MillraceError(
        'PRODUCER_FENCED',
        `Producer '${producer.id}' has epoch ${producer.epoch}, but ${this.epoch} has written to ${partition.topic}-${partition.partition}`,
        { ...facts, foundEpoch: this.epoch },
      );
    }
    const last = this.#batches.at(-1);
    if (producer.epoch > this.epoch) {
      if (this.epoch >= 0 && producer.sequence !== 0) throw outOfOrder(facts, 0);
      return undefined;
    }
    const seen = this.#batches.find((batch) => batch.sequence === producer.sequence && batch.count === count);
    if (seen !== undefined) {
      return (seen.durable ?? Promise.resolve()).then(() => ({ baseOffset: seen.baseOffset, duplicate: true }));
    }
    if (last !== undefined && producer.sequence !== last.sequence + last.count) {
      throw outOfOrder(facts, last.sequence + last.count);
    }
    return undefined;
  }

  append(attempt: Attempt, baseOffset: number, atMs: number, durable: Promise<void>): void {
    const { producer, count } = attempt;
    if (producer.epoch > this.epoch) this.#batches = [];
    this.epoch = producer.epoch;
    this.atMs = atMs;
    const batch: AppendedBatch = { sequence: producer.sequence, count, baseOffset, durable };
    this.#batches = [...this.#batches, batch].slice(-rememberedBatches);
    // Settled promises are dropped: they would keep the records of the append alive.
    durable.then(
      () => (batch.durable = undefined),
      () => undefined,
    );
  }

  encode(): Uint8Array {
    const batches = this.#batches.map(({ sequence, count, baseOffset }) => [sequence, count, baseOffset] as const);
    const stored: StoredProducer = { epoch: this.epoch, atMs: this.atMs, batches };
    return Buffer.from(JSON.stringify(stored));
  }

  static decode(bytes: Uint8Array): ProducerState {
    // Written by `encode` alone, in the same database.
    return new ProducerState(JSON.parse(Buffer.from(bytes).toString()) as StoredProducer);
  }
}

/** As many as Kafka remembers, and so the most a producer may have in flight. */
const rememberedBatches = 5;

export interface Attempt {
  readonly partition: TopicPartition;
  readonly producer: { readonly id: string; readonly epoch: number; readonly sequence: number };
  readonly count: number;
}

interface AppendedBatch {
  readonly sequence: number;
  readonly count: number;
  readonly baseOffset: number;
  durable?: Promise<void> | undefined;
}

interface StoredProducer {
  readonly epoch: number;
  readonly atMs: number;
  readonly batches: readonly (readonly [sequence: number, count: number, baseOffset: number])[];
}

function outOfOrder(facts: Attempt['producer'] | Record<string, string | number>, wanted: number): MillraceError {
  return new MillraceError('OUT_OF_ORDER_SEQUENCE', `Expected sequence ${wanted}, found ${facts.sequence}`, {
    ...facts,
    wanted,
  });
}
