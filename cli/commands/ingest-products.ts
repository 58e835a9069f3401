import { basename } from 'node:path';
import { MillraceError } from '../../schemas/index.ts';
import { Host } from '../../serving/host/index.ts';
import { openAmazonProducts } from '../../sources/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { loadFile } from '../load/load-file.ts';
import { startProgress, whole } from '../progress.ts';
import type { Settings } from '../settings.ts';
import { Shutdown } from '../shutdown.ts';
import { print, table } from '../terminal.ts';

export interface IngestProductsOptions {
  readonly path: string;
  readonly categoriesPath: string | undefined;
  /** ISO 8601. */
  readonly updatedAt: string | undefined;
}

/** Loads a catalogue into the log of the data folder, and says what became of its rows. */
export async function ingestProducts(settings: Settings, options: IngestProductsOptions): Promise<number> {
  const { path, categoriesPath, updatedAt } = options;
  const catalogue = {
    ...(categoriesPath !== undefined && { categoriesPath }),
    ...(updatedAt !== undefined && { updatedAtMs: timeOf(updatedAt) }),
  };
  // Opened once before the data folder is made: what cannot be a catalogue leaves no folder behind.
  await openAmazonProducts(path, catalogue);
  using shutdown = new Shutdown(settings.stopDeadlineMs);
  const { dataDir, partitions, syncWrites } = settings;
  await using host = await Host.open({ dataDir, partitions, syncWrites, runs: false });
  const bar = startProgress(basename(path), 'rows');
  const begun = performance.now();
  try {
    const { kind, progress } = await loadFile({
      host,
      path,
      format: 'amazon',
      catalogue,
      dataDir,
      signal: shutdown.signal,
      skipRows: 0,
      pace: 0,
      onProgress: ({ rows, bytesRead, bytesTotal }) => {
        bar.update(
          rows,
          bytesTotal === undefined || bytesRead === 0 ? rows : Math.round((rows * bytesTotal) / bytesRead),
        );
      },
    });
    const seconds = (performance.now() - begun) / 1000;
    const rate = whole(Math.round(progress.rows / seconds));
    print(
      `${whole(progress.events)} products accepted, ${whole(progress.rejected)} rows rejected, in ${seconds.toFixed(1)} s (${rate} rows/s).`,
    );
    printCounts('RULE', 'REJECTED', progress.rules);
    printCounts('FIELD', 'UNKNOWN', progress.unusable ?? {});
    // Of the whole process, all threads: getrusage gives KiB.
    print(`Peak memory ${whole(Math.ceil(process.resourceUsage().maxRSS / 1024))} MiB.`);
    if (kind === 'done') return exitCodes.ok;
    print('Stopped before the end. Load the file again.');
    return exitCodes.error;
  } finally {
    bar.stop();
  }
}

function printCounts(what: string, count: string, counts: Readonly<Record<string, number>>): void {
  const rows = Object.entries(counts).toSorted(([, left], [, right]) => right - left);
  if (rows.length > 0) print(table([what, count], rows));
}

const iso8601 = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;

/** A day, which begins in UTC, or a time with its zone: what has none would mean another moment on each machine. */
function timeOf(text: string): number {
  const [, day] = iso8601.exec(text) ?? [];
  const ms = day === undefined ? Number.NaN : Date.parse(text);
  // JavaScript takes 30 February for 2 March.
  if (!Number.isNaN(ms) && new Date(`${day}T00:00Z`).toISOString().startsWith(day!)) return ms;
  const wanted = 'an ISO 8601 day or time with its zone, as 2023-10-01 or 2023-10-01T12:00:00Z';
  throw new MillraceError('INVALID_ARGUMENT', `--updated-at wants ${wanted}, found '${text}'`, { found: text });
}
