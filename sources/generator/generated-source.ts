import type { Interaction } from '../../schemas/index.ts';
import type { EventSource, SourceBatch } from '../event-source.ts';
import type { InteractionStream } from './interaction-stream.ts';

export interface GeneratedSourceOptions {
  /** Minute of the stream to enter at. Default 0. */
  readonly from?: number;
  /** Default: without end. */
  readonly events?: number;
  /** Given: an event comes when this clock has reached its arrival, so none is ever ahead of it. Default: at once. */
  readonly clock?: GeneratorClock;
}

export interface GeneratorClock {
  nowMs(): number;
  /** Comes back when the time has been reached; may come back before. */
  until(timeMs: number): Promise<void>;
}

const batchEvents = 1000;

/** The stream as a source. Its lines are the events' numbers, from 1 at the minute it is entered at. */
export function generatedSource(stream: InteractionStream, options: GeneratedSourceOptions = {}): EventSource {
  return { name: 'generator', bytesTotal: undefined, batches: () => readBatches(stream, options) };
}

async function* readBatches(
  stream: InteractionStream,
  { from = 0, events: eventsMax = Number.POSITIVE_INFINITY, clock }: GeneratedSourceOptions,
): AsyncGenerator<SourceBatch, void, undefined> {
  let line = 0;
  for (const { events, arrivalsMs } of stream.minutes(from)) {
    for (let at = 0; at < events.length;) {
      if (line === eventsMax) return;
      const nowMs = clock?.nowMs() ?? Number.POSITIVE_INFINITY;
      const end = Math.min(events.length, at + batchEvents, at + eventsMax - line);
      const due: Interaction[] = [];
      while (at < end && arrivalsMs[at]! <= nowMs) due.push(events[at++]!);
      if (due.length === 0) await clock!.until(arrivalsMs[at]!);
      else yield { events: due, lines: due.map(() => ++line), rejects: [], bytesRead: 0 };
    }
  }
}
