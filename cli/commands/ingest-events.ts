import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { storeNames, storeSerdes } from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import type { Host } from '../../serving/host/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { detectFormat } from '../load/detect-format.ts';
import { followAppends, followLoad, followProcessing } from '../load/follow-load.ts';
import { checkFormat, eventFormats } from '../load/formats.ts';
import { openForLoad } from '../load/open-for-load.ts';
import { whole } from '../progress.ts';
import type { Settings } from '../settings.ts';
import { Shutdown } from '../shutdown.ts';
import { print, table, warn } from '../terminal.ts';

export interface IngestEventsOptions {
  readonly path: string;
  /** Default: what the first line shows. */
  readonly format: string | undefined;
  /** Until the topology has processed the events; else only until the log has them. */
  readonly waits: boolean;
}

/** Loads a file of events into the data folder, and says what became of its rows. */
export async function ingestEvents(settings: Settings, options: IngestEventsOptions): Promise<number> {
  const { path } = options;
  if (options.format !== undefined) checkFormat(options.format);
  await requireFile(path);
  const format = options.format ?? (await detectFormat(path, eventFormats));
  using shutdown = new Shutdown(settings.stopDeadlineMs);
  const { dataDir } = settings;
  const { signal } = shutdown;
  await using opened = await openForLoad(settings, options.waits);
  const { host, runs: waits } = opened;
  host.onPublication(() => undefined);
  if (waits && !(await followProcessing('Processing what was there', host, signal))) {
    warn(`Stopped before ${basename(path)} was read.`);
    return exitCodes.error;
  }
  const before = waits ? await cleanseCounts(host) : undefined;
  const begun = performance.now();
  const load = { host, path, format, dataDir, signal, skipRows: 0, pace: 0, label: basename(path) };
  const { kind, processed, progress } = await (waits ? followLoad : followAppends)({
    ...load,
    onProgress: () => undefined,
  });
  const seconds = (performance.now() - begun) / 1000;
  print(
    `${whole(progress.events)} events accepted, ${whole(progress.rejected)} rows rejected, in ${seconds.toFixed(1)} s.`,
  );
  const rules = Object.entries(progress.rules).toSorted(([, left], [, right]) => right - left);
  if (rules.length > 0) print(table(['RULE', 'REJECTED'], rules));
  if (processed && before !== undefined) {
    const after = await cleanseCounts(host);
    print(
      `${whole(after.accepted - before.accepted)} were new, ${whole(after.duplicates - before.duplicates)} were known.`,
    );
  }
  if (kind === 'done' && (processed || !waits)) return exitCodes.ok;
  const where =
    kind === 'done' ? 'before everything was processed: the next command that runs goes on' : 'before the end';
  print(`Stopped ${where}. Loading the file again changes nothing that is there.`);
  return exitCodes.error;
}

async function requireFile(path: string): Promise<void> {
  const found = await stat(path).then(
    (stats) => (stats.isDirectory() ? 'a folder' : undefined),
    (cause: NodeJS.ErrnoException) => (cause.code === 'ENOENT' ? 'nothing' : cause.message),
  );
  if (found === undefined) return;
  throw new MillraceError('SOURCE_UNREADABLE', `'${path}' wants to be a file of events, found ${found}`, {
    path,
    found,
  });
}

/** What cleanse has counted so far, over all partitions. */
async function cleanseCounts(host: Host): Promise<{ readonly accepted: number; readonly duplicates: number }> {
  const store = storeNames.cleanseCounters;
  const { key: keySerde, value: valueSerde } = storeSerdes[store];
  const counts = { accepted: 0, duplicates: 0, invalid: 0 };
  for (let partition = 0; partition < host.partitions; partition++) {
    const { rows } = await host.request<'scan'>({ kind: 'scan', store, partition, after: null, limit: 100 });
    for (const { key, value } of rows) {
      counts[keySerde.deserialize(key) as keyof typeof counts] += valueSerde.deserialize(value);
    }
  }
  return counts;
}
