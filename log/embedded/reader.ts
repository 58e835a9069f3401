import type { Engine } from '../../state/engine.ts';
import type { FetchedRecord, FetchedRecords, ReadLimits } from '../log.ts';
import type { PartitionLog } from './partition-log.ts';
import type { ReadCache } from './read-cache.ts';
import { recordBytes } from '../record-bytes.ts';
import { decodeRecordBatch, type RecordBatch } from './record-batch.ts';

/**
 * Reads one partition forward, up to its last stable offset as it was when the read began.
 *
 * Below that nothing is added any more, so what is not found there is a gap and the answer may pass over it. The caller
 * checks the log start before and after: batches can vanish under a read, and must not look like a gap.
 */
export async function readRecords(
  source: { readonly engine: Engine; readonly cache: ReadCache },
  partition: PartitionLog,
  offset: number,
  limits: ReadLimits,
): Promise<FetchedRecords> {
  const end = partition.lastStable;
  const answer = new Answer(limits, end);
  let next = offset;
  for (;;) {
    if (next >= end) return { records: answer.records, nextOffset: Math.max(next, offset) };
    const cached = source.cache.find(partition, next);
    if (cached === undefined) break;
    const stop = answer.take(cached.batch, next);
    if (stop !== undefined) return { records: answer.records, nextOffset: stop };
    next = cached.batch.lastOffset + 1;
  }
  const beyond = partition.key(partition.offsets.end);
  for (;;) {
    const limit = batchesToFetch(partition, answer);
    let found = 0;
    for await (const chunk of source.engine.range('log', { gte: partition.key(next), lt: beyond, limit })) {
      for (const entry of chunk) {
        found++;
        const batch = decodeRecordBatch(entry.value);
        learn(partition, batch, entry.value.length);
        const stop = answer.take(batch, next);
        if (stop !== undefined) {
          if (stop <= batch.lastOffset && batch.lastOffset < end) source.cache.add(partition, next, batch);
          return { records: answer.records, nextOffset: stop };
        }
        next = batch.lastOffset + 1;
      }
    }
    if (found < limit) return { records: answer.records, nextOffset: Math.max(next, end) };
  }
}

/** Gathers records until a limit is reached. The first record is always taken, whatever it weighs. */
class Answer {
  records: readonly FetchedRecord[] = [];
  bytes = 0;
  readonly limits: ReadLimits;
  readonly #end: number;
  #own: FetchedRecord[] | undefined;

  constructor(limits: ReadLimits, end: number) {
    this.limits = limits;
    this.#end = end;
  }

  /** Takes the batch's records from `offset` on. Returns where to read on when a limit is reached. */
  take(batch: RecordBatch, offset: number): number | undefined {
    const { records } = batch;
    const first = firstAt(records, offset);
    let last = first;
    let stop: number | undefined;
    for (; last < records.length; last++) {
      const record = records[last] as FetchedRecord;
      const bytes = recordBytes(record);
      const taken = this.records.length + last - first;
      if (record.offset >= this.#end) stop = this.#end;
      else if (taken > 0 && (taken >= this.limits.maxRecords || this.bytes + bytes > this.limits.maxBytes)) {
        stop = record.offset;
      }
      if (stop !== undefined) break;
      this.bytes += bytes;
    }
    this.#add(records, first, last);
    if (stop === undefined && this.records.length >= this.limits.maxRecords) stop = batch.lastOffset + 1;
    return stop;
  }

  #add(records: readonly FetchedRecord[], first: number, last: number): void {
    if (first === last) return;
    if (this.records.length === 0) {
      this.records = first === 0 && last === records.length ? records : records.slice(first, last);
      return;
    }
    this.#own ??= this.records.slice();
    for (let i = first; i < last; i++) this.#own.push(records[i] as FetchedRecord);
    this.records = this.#own;
  }
}

function firstAt(records: readonly FetchedRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle] as FetchedRecord).offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Enough for the limits by what batches measured so far: a batch too few costs a seek, one too many is read in vain. */
function batchesToFetch(partition: PartitionLog, answer: Answer): number {
  const { bytes, records } = partition.average;
  if (records === 0) return 4;
  const byRecords = (answer.limits.maxRecords - answer.records.length) / records;
  const byBytes = (answer.limits.maxBytes - answer.bytes) / Math.max(bytes, 1);
  return Math.min(Math.max(Math.ceil(Math.min(byRecords, byBytes)), 1), batchesPerSeekMax);
}

function learn(partition: PartitionLog, batch: RecordBatch, bytes: number): void {
  const { average } = partition;
  const weight = average.records === 0 ? 1 : 0.1;
  average.bytes += (bytes - average.bytes) * weight;
  average.records += (batch.count - average.records) * weight;
}

const batchesPerSeekMax = 512;
