import type { Interaction } from '../../schemas/index.ts';
import type { EventSource, SourceBatch } from '../event-source.ts';
import type { InteractionStream } from './interaction-stream.ts';

export interface GeneratedSourceOptions {
  /** Minute of the stream to enter at. Default 0. */
  readonly from?: number;
  /** Minute to end before. Default: without end. */
  readonly to?: number;
  /** Default: without end. */
  readonly events?: number;
  /** Given: an event comes when this clock has reached its arrival, so none is ever ahead of it. Default: at once. */
  readonly clock?: GeneratorClock;
  /** What arrives before is left out, ms since epoch: for a stream that is entered within a minute. Default: nothing. */
  readonly notBeforeMs?: number;
}

export interface GeneratorClock {
  nowMs(): number;
  /** Comes back when the time has been reached; may come back before. */
  until(timeMs: number): Promise<void>;
}

const batchEvents = 1000;

/** The stream as a source. Its lines are the events' numbers, from 1 at the minute it is entered at. */
export function generatedSource(stream: InteractionStream, options: GeneratedSourceOptions = {}): EventSource {
  const { clock } = options;
  const batches = () => (clock === undefined ? fullBatches(stream, options) : dueBatches(stream, options, clock));
  return { name: 'generator', bytesTotal: undefined, batches };
}

/** Batches of `batchEvents` but the last, so that who goes on later finds the same ones. */
async function* fullBatches(
  stream: InteractionStream,
  options: GeneratedSourceOptions,
): AsyncGenerator<SourceBatch, void, undefined> {
  let batch: Interaction[] = [];
  let line = 0;
  for (const { event } of arrivals(stream, options)) {
    if (batch.push(event) < batchEvents) continue;
    yield batchOf(batch, line);
    line += batch.length;
    batch = [];
  }
  if (batch.length > 0) yield batchOf(batch, line);
}

async function* dueBatches(
  stream: InteractionStream,
  options: GeneratedSourceOptions,
  clock: GeneratorClock,
): AsyncGenerator<SourceBatch, void, undefined> {
  let due: Interaction[] = [];
  let line = 0;
  let nowMs = clock.nowMs();
  for (const { event, arrivalMs } of arrivals(stream, options)) {
    while (arrivalMs > nowMs || due.length === batchEvents) {
      if (due.length > 0) {
        yield batchOf(due, line);
        line += due.length;
        due = [];
      }
      nowMs = clock.nowMs();
      if (arrivalMs > nowMs) await clock.until(arrivalMs);
    }
    due.push(event);
  }
  if (due.length > 0) yield batchOf(due, line);
}

function* arrivals(
  stream: InteractionStream,
  {
    from = 0,
    to = Number.POSITIVE_INFINITY,
    events: eventsMax = Number.POSITIVE_INFINITY,
    notBeforeMs = 0,
  }: GeneratedSourceOptions,
): Generator<{ readonly event: Interaction; readonly arrivalMs: number }> {
  let left = eventsMax;
  for (const { minute, events, arrivalsMs } of stream.minutes(from)) {
    if (minute >= to) return;
    for (const [at, event] of events.entries()) {
      const arrivalMs = arrivalsMs[at]!;
      if (arrivalMs < notBeforeMs) continue;
      if (left-- <= 0) return;
      yield { event, arrivalMs };
    }
  }
}

function batchOf(events: readonly Interaction[], line: number): SourceBatch {
  return { events, lines: events.map((_, at) => line + at + 1), rejects: [], bytesRead: 0 };
}
