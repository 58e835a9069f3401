import { createHash } from 'node:crypto';
import { partitionForKey, type LogHeader, type LogRecord } from '../log/index.ts';
import { interactionLimits, type Interaction, type Serde } from '../schemas/index.ts';
import type { EventSource, SourceBatch, SourceReject } from './event-source.ts';
import { interactionKey } from './partitioning.ts';

/** Where ingest puts records: the thread that owns the log, or a broker. */
export interface IngestTarget {
  readonly partitions: number;
  appendEvents(records: readonly (LogRecord & { readonly partition: number })[]): Promise<void>;
  /** Each has an id; one that was appended before under the same id is left out. */
  appendDeadLetters(letters: readonly (LogRecord & { readonly id: string })[]): Promise<void>;
}

export interface IngestOptions extends BatchOptions {
  readonly source: EventSource;
  readonly serde: Serde<Interaction>;
}

/** What ingest takes whatever the records are. */
export interface BatchOptions {
  readonly target: IngestTarget;
  readonly nowMs?: () => number;
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Waits between batches: paces a source to a rate. */
  readonly pace?: (eventsSoFar: number) => Promise<void> | void;
  readonly signal?: AbortSignal;
}

export interface IngestProgress {
  readonly events: number;
  readonly rejected: number;
  readonly bytesRead: number;
  readonly bytesTotal: number | undefined;
}

/** Batches on their way to the log at the same time. */
const inFlightMax = 4;

/**
 * Reads a source to its end into the log. Every row ends in one of two places: an event in `interactions`, or a dead
 * letter with file, line and reason. Returns when all of it is durable.
 *
 * @throws the first failure to append, else the signal's reason or what the source threw; in any case when nothing is on
 * its way to the log any more.
 */
export async function ingest({ source, serde, ...options }: IngestOptions): Promise<IngestProgress> {
  const { partitions } = options.target;
  return await ingestBatches(source, options, (batch, nowMs) => {
    const { events, rejects } = refuseFuture(batch, source.name, nowMs);
    return { records: events.map((event) => eventRecord(event, serde, partitions)), rejects };
  });
}

/** What a batch of a source becomes. */
interface RecordBatch {
  readonly records: Parameters<IngestTarget['appendEvents']>[0];
  readonly rejects: readonly SourceReject[];
}

/** `ingest` for any kind of record: `recordsOf` says what a batch of the source becomes. */
export async function ingestBatches<B extends { readonly bytesRead: number }>(
  source: { readonly bytesTotal: number | undefined; batches(): AsyncIterable<B> },
  { target, onProgress, pace, signal, nowMs = Date.now }: BatchOptions,
  recordsOf: (batch: B, nowMs: number) => RecordBatch,
): Promise<IngestProgress> {
  const inFlight: Promise<void>[] = [];
  const failures: unknown[] = [];
  let progress: IngestProgress = { events: 0, rejected: 0, bytesRead: 0, bytesTotal: source.bytesTotal };
  try {
    for await (const batch of source.batches()) {
      signal?.throwIfAborted();
      await pace?.(progress.events);
      const { records, rejects } = recordsOf(batch, nowMs());
      const append = Promise.all([
        records.length > 0 && target.appendEvents(records),
        rejects.length > 0 && target.appendDeadLetters(rejects.map((reject) => deadLetterRecord(reject, nowMs()))),
      ]).then(() => undefined);
      append.catch((error: unknown) => failures.push(error));
      inFlight.push(append);
      if (inFlight.length >= inFlightMax) await inFlight.shift();
      progress = {
        events: progress.events + records.length,
        rejected: progress.rejected + rejects.length,
        bytesRead: batch.bytesRead,
        bytesTotal: source.bytesTotal,
      };
      onProgress?.(progress);
    }
    await Promise.all(inFlight);
  } catch (error) {
    await Promise.allSettled(inFlight);
    throw failures[0] ?? error;
  }
  return progress;
}

export function eventRecord(event: Interaction, serde: Serde<Interaction>, partitions: number) {
  const key = Buffer.from(interactionKey(event));
  const partition = partitionForKey(key, partitions);
  return { partition, key, value: serde.serialize(event), timestamp: event.timestamp };
}

/** A row that cannot be an event, with where it stood and why. */
export function deadLetterRecord({ file, line, rule, reason, raw }: SourceReject, nowMs: number) {
  const id = createHash('sha256').update(`${file}\n${line}\n`).update(raw).digest('hex').slice(0, 32);
  const headers: LogHeader[] = [
    header('millrace.source.file', file),
    header('millrace.source.line', String(line)),
    header('millrace.rejected.rule', rule),
    header('millrace.rejected.reason', reason),
  ];
  return { id: `dead-letter:${id}`, key: Buffer.from(id), value: raw, timestamp: nowMs, headers };
}

function header(key: string, value: string): LogHeader {
  return { key, value: Buffer.from(value) };
}

/** An event far ahead of the clock is refused here: the clock is no fact of the log, so cleanse cannot judge it. */
function refuseFuture(batch: SourceBatch, file: string, nowMs: number): Pick<SourceBatch, 'events' | 'rejects'> {
  const latestMs = nowMs + interactionLimits.aheadMsMax;
  if (batch.events.every(({ timestamp }) => timestamp <= latestMs)) return batch;
  const events: Interaction[] = [];
  const rejects = [...batch.rejects];
  for (const [at, event] of batch.events.entries()) {
    if (event.timestamp <= latestMs) events.push(event);
    else rejects.push(futureReject(event, { file, line: batch.lines[at]! }, nowMs));
  }
  return { events, rejects };
}

function futureReject(event: Interaction, place: Pick<SourceReject, 'file' | 'line'>, nowMs: number): SourceReject {
  const found = new Date(event.timestamp).toISOString();
  const reason = `timestamp wants at most ${interactionLimits.aheadMsMax} ms ahead of ${new Date(nowMs).toISOString()}, found ${found}`;
  return { ...place, rule: 'future-timestamp', reason, raw: Buffer.from(JSON.stringify(event)) };
}
