import { basename } from 'node:path';
import { MillraceError } from '../../schemas/index.ts';
import { type DecimalMark, parseColumnMap } from '../../sources/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { catalogueFormats, type CatalogueOptions, openCatalogue } from '../load/catalogue-formats.ts';
import { detectFormat } from '../load/detect-format.ts';
import { followAppends, followLoad, followProcessing } from '../load/follow-load.ts';
import { openForLoad } from '../load/open-for-load.ts';
import { whole } from '../progress.ts';
import type { Settings } from '../settings.ts';
import { Shutdown } from '../shutdown.ts';
import { print, table, warn } from '../terminal.ts';

export interface IngestProductsOptions {
  readonly path: string;
  /** Default: `columns` when there is a column map, else what the first line shows. */
  readonly format: string | undefined;
  readonly categoriesPath: string | undefined;
  /** As `id=asin,title=name`. */
  readonly columns?: string | undefined;
  readonly currency?: string | undefined;
  readonly decimal?: string | undefined;
  /** ISO 8601. */
  readonly updatedAt: string | undefined;
  /** Until the topology has processed the products; else only until the log has them. */
  readonly waits: boolean;
}

/** Loads a catalogue into the log of the data folder, and says what became of its rows. */
export async function ingestProducts(settings: Settings, options: IngestProductsOptions): Promise<number> {
  const { path, columns } = options;
  const catalogue = catalogueOptions(options);
  const format = options.format ?? (columns === undefined ? await detectFormat(path, catalogueFormats) : 'columns');
  // Opened once before the data folder is made: what cannot be a catalogue leaves no folder behind.
  await openCatalogue(path, format, catalogue);
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
  const begun = performance.now();
  const load = {
    host,
    path,
    format,
    catalogue,
    dataDir,
    signal,
    skipRows: 0,
    pace: 0,
    label: basename(path),
  };
  const { kind, processed, progress } = await (waits ? followLoad : followAppends)({
    ...load,
    onProgress: () => undefined,
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
  if (kind === 'done' && (processed || !waits)) return exitCodes.ok;
  print(
    kind === 'done'
      ? 'Stopped before everything was processed: the next command that runs goes on.'
      : 'Stopped before the end. Load the file again.',
  );
  return exitCodes.error;
}

function catalogueOptions(options: IngestProductsOptions): CatalogueOptions {
  const { categoriesPath, updatedAt, columns, currency, decimal } = options;
  return {
    ...(categoriesPath !== undefined && { categoriesPath }),
    ...(updatedAt !== undefined && { updatedAtMs: timeOf(updatedAt) }),
    ...(columns !== undefined && { columns: parseColumnMap(columns) }),
    ...(currency !== undefined && { currency: currencyOf(currency) }),
    ...(decimal !== undefined && { decimalMark: decimalMarkOf(decimal) }),
  };
}

function currencyOf(text: string): string {
  if (/^[A-Z]{3}$/.test(text)) return text;
  throw new MillraceError('INVALID_ARGUMENT', `--currency wants three capitals, as USD; found '${text}'`, { text });
}

function decimalMarkOf(text: string): DecimalMark {
  if (text === ',' || text === '.') return text;
  throw new MillraceError('INVALID_ARGUMENT', `--decimal wants , or . and found '${text}'`, { text });
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
