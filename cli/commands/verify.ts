import { compareState, formatComparison, type LogEvent, recomputeLog } from '../../models/recompute/index.ts';
import { shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { Host, readerWithView, recordedEvents, type SourceOffset, viewOf } from '../../serving/host/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { requireDataFolder } from '../inspect/inspection.ts';
import { followProcessing } from '../load/follow-load.ts';
import { startProgress } from '../progress.ts';
import type { Settings } from '../settings.ts';
import { Shutdown } from '../shutdown.ts';
import { print, warn } from '../terminal.ts';

/**
 * Recomputes everything from the events of the folder's own log, with other code (docs/architecture/verify.md), and
 * compares it with the state, row by row, and with the lists as the server would answer them. What has not been processed yet is processed first.
 */
export async function verify({ dataDir, stopDeadlineMs }: Settings): Promise<number> {
  await requireDataFolder(dataDir);
  using shutdown = new Shutdown(stopDeadlineMs);
  await using host = await Host.open({ dataDir });
  const view = viewOf(host);
  if (!(await followProcessing('Processing', host, shutdown.signal))) return stopped();
  const unlessStopped = (error: unknown): undefined => {
    if (!shutdown.requested) throw error;
  };
  const state = await readerWithView(host, view, shutdown.signal).catch(unlessStopped);
  if (state === undefined) return stopped();
  const upTo = await state.asOf();
  const registry = await openEmbeddedRegistry(dataDir);
  const events = followed(recordedEvents(host, { registry, upTo }), upTo, shutdown.signal);
  const expected = await recomputeLog(events, { onStep: (step) => progressStep(step, shutdown.signal) }).catch(
    unlessStopped,
  );
  if (expected === undefined) return stopped();
  warn('Comparing every row …');
  const comparison = await compareState(expected, state);
  const { read, invalid, duplicates, accepted } = expected.counts;
  const counts = { read, invalid, duplicates, accepted };
  const list = Object.entries(counts).map(([name, count]) => `${name} ${count.toLocaleString('en')}`);
  print(`Events of ${shopTopics.interactions}: ${list.join(', ')}\n`);
  print(formatComparison(comparison));
  return comparison.equal ? exitCodes.ok : exitCodes.different;
}

function stopped(): number {
  warn('Stopped before the end: nothing has been compared.');
  return exitCodes.error;
}

/** Between two steps is a place to stop at. */
function progressStep(step: string, signal: AbortSignal): void {
  signal.throwIfAborted();
  if (step !== 'read') warn(`Recomputing: ${step} …`);
}

async function* followed(
  events: AsyncIterable<LogEvent>,
  upTo: readonly SourceOffset[],
  signal: AbortSignal,
): AsyncGenerator<LogEvent, void, undefined> {
  const total = upTo.reduce((sum, { topic, offset }) => sum + (topic === shopTopics.interactions ? offset : 0), 0);
  const bar = startProgress('Reading the log', 'events');
  let count = 0;
  try {
    for await (const event of events) {
      yield event;
      count += 1;
      if (count % 1000 !== 0 && count !== total) continue;
      signal.throwIfAborted();
      bar.update(count, total);
    }
  } finally {
    bar.stop();
  }
}
