import { compareState, formatComparison, recomputeLog } from '../../models/recompute/index.ts';
import { shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import {
  Host,
  readerWithView,
  recordedEvents,
  recordedVersions,
  type SourceOffset,
  viewOf,
} from '../../serving/host/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { requireDataFolder } from '../inspect/inspection.ts';
import { followProcessing } from '../load/follow-load.ts';
import { startProgress, whole } from '../progress.ts';
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
  await using host = await Host.open({ dataDir, replays: false });
  const view = viewOf(host);
  if (!(await followProcessing('Processing', host, shutdown.signal))) return stopped();
  const unlessStopped = (error: unknown): undefined => {
    if (!shutdown.requested) throw error;
  };
  const state = await readerWithView(host, view, shutdown.signal).catch(unlessStopped);
  if (state === undefined) return stopped();
  const upTo = await state.asOf();
  const registry = await openEmbeddedRegistry(dataDir);
  const generations = await host.request<'generations'>({ kind: 'generations' });
  const { parameters, startOffsets: from } = generations.find((generation) => generation.state === 'active')!;
  const { signal } = shutdown;
  const events = followed(recordedEvents(host, { registry, upTo, from }), total(upTo, shopTopics.interactions), signal);
  const versions = followed(
    recordedVersions(host, { registry, upTo, from }),
    total(upTo, shopTopics.productsHistory),
    signal,
  );
  const onStep = (step: string): void => progressStep(step, signal);
  const expected = await recomputeLog(events, { versions, parameters, onStep }).catch(unlessStopped);
  if (expected === undefined) return stopped();
  warn('Comparing every row …');
  const comparison = await compareState(expected, state);
  const { read, invalid, duplicates, accepted } = expected.counts;
  const counts = { read, invalid, duplicates, accepted };
  const list = Object.entries(counts).map(([name, count]) => `${name} ${whole(count)}`);
  print(`Events of ${shopTopics.interactions}: ${list.join(', ')}`);
  const versionCounts = Object.entries(expected.catalogue.counts).map(
    ([name, count]) => `${name} ${whole(Number(count))}`,
  );
  print(`Versions of ${shopTopics.productsHistory}: ${versionCounts.join(', ')}\n`);
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

/** Records of a topic below the offsets. */
function total(upTo: readonly SourceOffset[], topic: string): number {
  return upTo.reduce((sum, { topic: of, offset }) => sum + (of === topic ? offset : 0), 0);
}

async function* followed<T>(
  records: AsyncIterable<T>,
  total: number,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const bar = startProgress('Reading the log', 'records');
  let count = 0;
  try {
    for await (const record of records) {
      yield record;
      count += 1;
      if (count % 1000 !== 0 && count !== total) continue;
      signal.throwIfAborted();
      bar.update(count, total);
    }
  } finally {
    bar.stop();
  }
}
