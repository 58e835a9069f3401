import { MillraceError } from '../../schemas/errors.ts';
import type { FetchedRecord, FetchedRecords, ReadLimits, TopicPartition } from '../log.ts';
import { recordBytes } from '../record-bytes.ts';
import { send, type Connections } from './connections.ts';
import { nameOf } from './delivery.ts';
import { errorType } from './kafka-errors.ts';
import { fetchRequest, type FetchedPartition } from './fetch-request.ts';
import { fetchedBatches } from './record-batch.ts';

/**
 * Reads one partition forward, read committed, and never through kafkajs' consumer: that jumps from an offset that is out of
 * range to another without a word, and takes a record whose key looks like a marker for one (docs/decisions/005).
 *
 * A fetch brings whole batches. What a caller's limits leave of them is kept, one fetch a partition, for its next read.
 */
export class Reader {
  readonly #connections: Connections;
  readonly #left = new Map<string, FetchedRecords & { readonly from: number }>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** @throws MillraceError `OFFSET_OUT_OF_RANGE`, `DESERIALIZATION_FAILED`, `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND` */
  async read(partition: TopicPartition, offset: number, limits: ReadLimits): Promise<FetchedRecords> {
    const name = nameOf(partition);
    const left = this.#left.get(name);
    this.#left.delete(name);
    const fetched = left?.from === offset ? left : await this.#fetch(partition, offset, limits.maxBytes);
    const count = countWithin(fetched.records, limits);
    if (count === fetched.records.length) return { records: fetched.records, nextOffset: fetched.nextOffset };
    const nextOffset = fetched.records[count]!.offset;
    const rest = { from: nextOffset, records: fetched.records.slice(count), nextOffset: fetched.nextOffset };
    this.#left.set(name, rest);
    return { records: fetched.records.slice(0, count), nextOffset };
  }

  /** Nothing that was fetched before is answered any more. */
  forget(partition: TopicPartition): void {
    this.#left.delete(nameOf(partition));
  }

  async #fetch(partition: TopicPartition, offset: number, maxBytes: number): Promise<FetchedRecords> {
    if (offset < 0) throw outOfRange(partition, offset, undefined);
    const name = nameOf(partition);
    let from = offset;
    for (;;) {
      const answer = await this.#connections.onLeader(partition, `Reading ${name}`, async (broker) => {
        try {
          return await send(broker, fetchRequest(partition, from, Math.max(maxBytes, fetchBytesMin)));
        } catch (error) {
          if (errorType(error) === 'OFFSET_OUT_OF_RANGE') throw outOfRange(partition, from, error);
          throw error;
        }
      });
      const { records, nextOffset } = committedRecords(answer, from, name);
      // Only markers, aborted records and emptied batches: there is more behind them.
      if (records.length > 0 || nextOffset === from || nextOffset >= answer.lastStableOffset)
        return { records, nextOffset };
      from = nextOffset;
    }
  }
}

/** A caller with small limits reads on from what is left. */
const fetchBytesMin = 256 * 1024;

/**
 * What a transaction wrote is passed on unless it was aborted: the broker names the aborted ones that reach into the answer,
 * each begins at its first offset and ends at its producer's abort marker.
 */
function committedRecords(answer: FetchedPartition, from: number, where: string): FetchedRecords {
  const aborted = answer.aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  const aborting = new Set<bigint>();
  const records: FetchedRecord[] = [];
  let nextOffset = from;
  for (const batch of fetchedBatches(answer.batches, where)) {
    while (aborted.length > 0 && aborted[0]!.firstOffset <= batch.lastOffset) aborting.add(aborted.shift()!.producerId);
    nextOffset = Math.max(nextOffset, batch.lastOffset + 1);
    if (batch.marker !== undefined) {
      if (batch.marker === 'abort') aborting.delete(batch.producerId);
      continue;
    }
    if (batch.transactional && aborting.has(batch.producerId)) continue;
    for (const record of batch.records()) if (record.offset >= from) records.push(record);
  }
  return { records, nextOffset };
}

function countWithin(records: readonly FetchedRecord[], { maxRecords, maxBytes }: ReadLimits): number {
  const most = Math.min(records.length, maxRecords);
  let bytes = 0;
  for (let count = 0; count < most; count++) {
    bytes += recordBytes(records[count]!);
    if (bytes > maxBytes && count > 0) return count;
  }
  return most;
}

function outOfRange(partition: TopicPartition, offset: number, cause: unknown): MillraceError {
  const message = `${nameOf(partition)} has no offset ${offset}: it lies before the log's start or beyond its end`;
  return new MillraceError('OFFSET_OUT_OF_RANGE', message, { ...partition, offset }, { cause });
}
