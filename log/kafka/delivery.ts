import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../../schemas/errors.ts';
import type { LogRecord, TopicPartition } from '../log.ts';
import { recordBytes } from '../record-bytes.ts';
import type { Compression } from './compression.ts';
import { send, within, type Connections } from './connections.ts';
import { errorType, isFenced, isTransient, kafkaError } from './kafka-errors.ts';
import type { Broker } from './kafkajs.ts';
import { produceRequest, type PartitionAck } from './produce-request.ts';
import { encodeRecordBatch } from './record-batch.ts';

/** A producer as the brokers know it: they number what it appends to each partition, and take every number once (KIP-98). */
export interface ProducerSession {
  readonly transactionalId: string | null;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The next number, by partition. */
  readonly sequences: Map<string, number>;
}

export interface Part extends TopicPartition {
  readonly records: readonly LogRecord[];
}

/** Undefined where the broker has forgotten, for a batch that was sent again long after. */
export interface Delivered {
  /** Of the first record. */
  readonly baseOffset: number | undefined;
  /** Behind the last one. */
  readonly endOffset: number | undefined;
}

export interface DeliveryOptions {
  readonly compression: Compression;
  /** How long what was not acknowledged is sent again (`delivery.timeout.ms`). */
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Hears when a request was not answered. */
  readonly onDoubt?: () => void;
}

/**
 * Appends records of any number of partitions, each in its order, and resolves with the offsets of each part when all are
 * acknowledged. Partitions of one leader share a request; of a partition one batch is on its way at a time, and is sent
 * again with its number until it is acknowledged: so nothing is appended twice, and nothing overtakes.
 *
 * @throws MillraceError `PRODUCER_FENCED`, `OUT_OF_ORDER_SEQUENCE`, `RECORD_TOO_LARGE`, `KAFKA_UNREACHABLE`, `KAFKA_FAILED`
 */
export async function deliver(
  connections: Connections,
  session: ProducerSession,
  parts: readonly Part[],
  options: DeliveryOptions,
): Promise<Delivered[]> {
  const deliveries = parts.map((part) => new PartDelivery(part, session, options.compression));
  const deadline = Date.now() + options.deliveryTimeoutMs;
  let waitMs = waitMsMin;
  for (let open = deliveries; open.length > 0; open = open.filter(({ done }) => !done)) {
    const failure = await sendRound(connections, session, open, options);
    if (failure === undefined) {
      waitMs = waitMsMin;
      continue;
    }
    if (errorType(failure) === 'CONNECTION') options.onDoubt?.();
    if (!isTransient(failure) || Date.now() + waitMs > deadline) throw deliveryError(failure, session, open[0]!.part);
    for (const { part, done } of open) if (!done) connections.forgetLeaders(part.topic);
    await sleep(waitMs);
    waitMs = Math.min(waitMs * 2, waitMsMax);
  }
  return deliveries.map(({ baseOffset, endOffset }) => ({ baseOffset, endOffset }));
}

const waitMsMin = 10;
const waitMsMax = 500;

/** Every partition's next batch, once. Returns what went wrong, the worst first. */
async function sendRound(
  connections: Connections,
  session: ProducerSession,
  open: readonly PartDelivery[],
  options: DeliveryOptions,
): Promise<unknown> {
  const failures: unknown[] = [];
  const { current } = connections;
  const leaders = new Map<Broker, PartDelivery[]>();
  for (const delivery of open) {
    try {
      const leader = await connections.leader(delivery.part);
      leaders.set(leader, [...(leaders.get(leader) ?? []), delivery]);
    } catch (error) {
      failures.push(error);
    }
  }
  await Promise.all(
    [...leaders].map(async ([leader, deliveries]) => {
      const batches = deliveries.map(({ part, bytes }) => ({ topic: part.topic, partition: part.partition, bytes }));
      try {
        const request = produceRequest(batches, session.transactionalId, options.requestTimeoutMs);
        const acks = await within(send(leader, request), 2 * options.requestTimeoutMs);
        for (const delivery of deliveries) {
          const failure = delivery.acknowledge(acks);
          if (failure !== undefined) failures.push(failure);
        }
      } catch (error) {
        failures.push(error);
      }
    }),
  );
  if (failures.some((failure) => errorType(failure) === 'CONNECTION')) connections.lost(current);
  return failures.find((failure) => !isTransient(failure)) ?? failures[0];
}

/** The records of one partition, cut into batches. */
class PartDelivery {
  readonly part: Part;
  baseOffset: number | undefined;
  endOffset: number | undefined;
  readonly #session: ProducerSession;
  readonly #compression: Compression;
  #from = 0;
  #to = 0;
  #bytes: Uint8Array | undefined;

  constructor(part: Part, session: ProducerSession, compression: Compression) {
    this.part = part;
    this.#session = session;
    this.#compression = compression;
  }

  get done(): boolean {
    return this.#from === this.part.records.length;
  }

  /** The next batch, the same bytes until it is acknowledged. */
  get bytes(): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes;
    this.#to = batchEnd(this.part.records, this.#from);
    const { transactionalId, producerId, producerEpoch, sequences } = this.#session;
    return (this.#bytes = encodeRecordBatch(this.part.records.slice(this.#from, this.#to), this.#compression, {
      producerId,
      producerEpoch,
      baseSequence: sequences.get(nameOf(this.part)) ?? 0,
      transactional: transactionalId !== null,
    }));
  }

  acknowledge(acks: readonly PartitionAck[]): unknown {
    const { topic, partition } = this.part;
    const ack = acks.find((each) => each.topic === topic && each.partition === partition);
    if (ack === undefined) return new Error(`no acknowledgement for ${nameOf(this.part)}`);
    // Appended before, and so long ago that the broker has forgotten where.
    if (ack.error !== undefined && errorType(ack.error) !== 'DUPLICATE_SEQUENCE_NUMBER') return ack.error;
    const known = ack.error === undefined ? ack.baseOffset : undefined;
    if (this.#from === 0) this.baseOffset = known;
    this.endOffset = known === undefined ? undefined : known + this.#to - this.#from;
    const { sequences } = this.#session;
    const name = nameOf(this.part);
    sequences.set(name, ((sequences.get(name) ?? 0) + this.#to - this.#from) % sequencesMax);
    this.#from = this.#to;
    this.#bytes = undefined;
    return undefined;
  }
}

/** Behind the greatest they begin again at 0. */
const sequencesMax = 2 ** 31;
/** Below the brokers' default `message.max.bytes` of 1,048,588 with what a batch adds. */
export const batchBytesMax = 900_000;
export const batchRecordsMax = 10_000;

/** What a record adds to a batch, at most, but for the count of its headers. */
export function batchedBytes(record: LogRecord): number {
  return recordBytes(record) + recordOverheadBytes;
}

const recordOverheadBytes = 32;

function batchEnd(records: readonly LogRecord[], from: number): number {
  let bytes = 0;
  let to = from;
  for (; to < records.length && to - from < batchRecordsMax; to++) {
    bytes += batchedBytes(records[to]!);
    if (bytes > batchBytesMax && to > from) break;
  }
  return to;
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function deliveryError(error: unknown, session: ProducerSession, { topic, partition }: TopicPartition): MillraceError {
  const facts = { topic, partition, transactionalId: session.transactionalId };
  const type = errorType(error);
  if (isFenced(error)) return fencedError(session.transactionalId, error);
  if (type === 'OUT_OF_ORDER_SEQUENCE_NUMBER' || type === 'UNKNOWN_PRODUCER_ID') {
    const message = `The producer's numbers for ${topic}/${partition} don't follow each other: a batch is missing`;
    return new MillraceError('OUT_OF_ORDER_SEQUENCE', message, facts, { cause: error });
  }
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') {
    const message = `A batch for ${topic}/${partition} is above the broker's or topic's max.message.bytes`;
    return new MillraceError('RECORD_TOO_LARGE', message, facts, { cause: error });
  }
  return kafkaError(error, `Appending to ${topic}/${partition}`, facts);
}

export function fencedError(transactionalId: string | null, cause: unknown): MillraceError {
  const message = `Another producer has taken over the transactional id '${transactionalId}'`;
  return new MillraceError('PRODUCER_FENCED', message, { transactionalId }, { cause });
}
