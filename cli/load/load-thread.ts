import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { ingest } from '../../sources/index.ts';
import { errorFields, HostPort, hostTarget, openRegistry } from '../../serving/host/index.ts';
import { eventFormats } from './formats.ts';
import { openGenerated } from './generated-events.ts';
import type { LoadJob, LoadMessage, LoadProgress } from './load-messages.ts';
import { loadCatalogue } from './load-catalogue.ts';
import { ResumedSource } from './resumed-source.ts';
import { TalliedTarget } from './tallied-target.ts';

/**
 * The thread that reads an event file into the log, so that neither HTTP nor the topology waits for decompression, CSV
 * and hashing. Any message stops it.
 */
const reportEveryMs = 100;

async function load(job: LoadJob, tell: (message: LoadMessage) => void, signal: AbortSignal): Promise<void> {
  const { path, format, dataDir, partitions, skipRows, pace, paceFromRow = 0 } = job;
  const host = new HostPort(job.host);
  try {
    const file = await (job.generated === undefined
      ? eventFormats[format]!.open(path)
      : openGenerated(path, job.generated, signal));
    const serde = await interactionSerde(await openRegistry(dataDir, job.registry), shopTopics.interactions);
    const target = new TalliedTarget(hostTarget(host, partitions));
    // A tenth of a second's events at a time: at a slow pace what one watches moves smoothly.
    const sliceRows = pace === 0 ? Infinity : Math.ceil(pace / 10);
    const source = new ResumedSource(file, { skipRows, sliceRows, sliceFromRow: paceFromRow });
    const paced = pacer(pace, signal);
    const pacing = (eventsSoFar: number) => (pace === 0 || source.row < paceFromRow ? undefined : paced(eventsSoFar));
    let bytesRead = 0;
    const progress = (): LoadProgress => {
      const { tally } = target;
      return { ...tally, rows: source.skippedRows + tally.acknowledgedRows, bytesRead, bytesTotal: file.bytesTotal };
    };
    let reportedAt = 0;
    const onProgress = (read: { readonly bytesRead: number }): void => {
      bytesRead = read.bytesRead;
      if (performance.now() - reportedAt < reportEveryMs) return;
      reportedAt = performance.now();
      tell({ kind: 'progress', progress: progress() });
    };
    try {
      await ingest({ source, target, serde, onProgress, pace: pacing, signal });
      tell({ kind: 'done', progress: progress() });
    } catch (error) {
      if (!signal.aborted) throw error;
      await target.settled();
      tell({ kind: 'stopped', progress: progress() });
    }
  } finally {
    host.close();
  }
}

/** Waits until it is time for the event after `eventsSoFar`; the clock starts with the first call. */
function pacer(pace: number, signal: AbortSignal): (eventsSoFar: number) => Promise<void> {
  let first: { readonly events: number; readonly atMs: number } | undefined;
  return async (eventsSoFar) => {
    first ??= { events: eventsSoFar, atMs: performance.now() };
    const waitMs = first.atMs + (1000 * (eventsSoFar - first.events)) / pace - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal });
  };
}

if (parentPort !== null) {
  const port = parentPort;
  const stop = new AbortController();
  port.on('message', () => stop.abort());
  const job = workerData as LoadJob;
  const run = job.catalogue === undefined ? load : loadCatalogue;
  run(job, (message) => port.postMessage(message), stop.signal)
    .catch((error: unknown) => port.postMessage({ kind: 'failed', error: errorFields(error) } satisfies LoadMessage))
    .finally(() => port.close());
}
