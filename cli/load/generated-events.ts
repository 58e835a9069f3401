import { setTimeout as sleep } from 'node:timers/promises';
import {
  CatalogueIndex,
  type EventSource,
  generatedSource,
  type GeneratorClock,
  InteractionStream,
  minuteMs,
  openAmazonProducts,
} from '../../sources/index.ts';
import type { GeneratedJob } from './load-messages.ts';

/**
 * A generated history, or the generated present. The present is entered at the minute it is, and what has arrived in it before is
 * left out: a run that was stopped a moment ago has loaded it.
 */
export async function openGenerated(
  path: string,
  { parameters, minutes }: GeneratedJob,
  signal: AbortSignal,
): Promise<EventSource> {
  const { index } = await CatalogueIndex.read(await openAmazonProducts(path));
  const stream = new InteractionStream(index, parameters);
  if (minutes !== undefined) return generatedSource(stream, { to: minutes });
  const nowMs = Date.now();
  const from = Math.floor((nowMs - stream.parameters.startMs) / minuteMs);
  return generatedSource(stream, { from, notBeforeMs: nowMs, clock: systemClock(signal) });
}

/** Events of a tenth of a second come together: an append for each of them would cost more than it shows. */
const tickMs = 100;

function systemClock(signal: AbortSignal): GeneratorClock {
  return {
    nowMs: Date.now,
    until: async (timeMs) => await sleep(Math.max(tickMs, timeMs - Date.now()), undefined, { signal }),
  };
}
