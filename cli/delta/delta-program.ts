import { type Command, InvalidArgumentError, Option } from 'commander';

/** The flags that say which version is meant. */
export interface VersionFlags {
  readonly version?: number;
  /** Milliseconds since 1970. */
  readonly timestamp?: number;
}

/** `millrace delta …`: commands on any Delta table, Millrace's or not. What they need is loaded when they run. */
export function addDeltaCommands(millrace: Command, ended: (code: number) => void): void {
  const delta = millrace
    .command('delta')
    .summary('look into, read and tidy a Delta table')
    .description('Works on any Delta table in a folder of this machine, whoever wrote it.');
  const load = (): Promise<typeof import('../commands/delta.ts')> => import('../commands/delta.ts');

  withVersion(delta.command('inspect').argument('<table>', 'its folder'))
    .description('Prints version, protocol, schema, properties, transactions, and how many files and rows there are.')
    .action(async (table: string, flags: VersionFlags) => ended(await (await load()).inspect(table, flags)));

  delta
    .command('history')
    .argument('<table>', 'its folder')
    .description('Lists the commits that the log still has, newest first.')
    .option('--limit <number>', 'so many of them', wholeNumber, 20)
    .action(async (table: string, flags: { readonly limit: number }) =>
      ended(await (await load()).history(table, flags)),
    );

  withVersion(delta.command('read').argument('<table>', 'its folder'))
    .description('Writes the rows of a table to a file; in Parquet with the exact types.')
    .requiredOption('--out <file>', 'NAME.parquet, .csv or .json (one object a line)')
    .option('--columns <names>', 'of these columns only, as a,b', names)
    .action(
      async (table: string, flags: VersionFlags & { readonly out: string; readonly columns?: readonly string[] }) =>
        ended(await (await load()).read(table, flags)),
    );

  delta
    .command('optimize')
    .argument('<table>', 'its folder')
    .description('Puts small files together. The rows stay the same, and writers may go on meanwhile.')
    .option('--target-mb <number>', 'up to about this size', wholeNumber, 1024)
    .option('--cluster-by <columns>', 'also order all rows along a Hilbert curve through these, as a,b', names)
    .action(async (table: string, flags: { readonly targetMb: number; readonly clusterBy?: readonly string[] }) =>
      ended(await (await load()).optimize(table, flags)),
    );

  delta
    .command('vacuum')
    .argument('<table>', 'its folder')
    .description('Takes away files that no version within the retention needs, and log entries past theirs.')
    .option('--dry-run', 'say what would go, and take nothing away')
    .option('--retention-hours <number>', "default: the table's, 168 unless it says otherwise", wholeNumber)
    .option('--force', 'let the retention be shorter than the table says: readers and writers at work may lose files')
    .action(
      async (
        table: string,
        flags: { readonly dryRun?: true; readonly retentionHours?: number; readonly force?: true },
      ) => ended(await (await load()).vacuum(table, flags)),
    );

  delta
    .command('checkpoint')
    .argument('<table>', 'its folder')
    .description('Writes a Delta checkpoint of the newest version.')
    .action(async (table: string) => ended(await (await load()).checkpoint(table)));

  withVersion(delta.command('restore').argument('<table>', 'its folder'))
    .description('Makes the table what it was at a version, by a new version.')
    .action(async (table: string, flags: VersionFlags) => ended(await (await load()).restore(table, flags)));
}

function withVersion(command: Command): Command {
  return command
    .addOption(
      new Option('--version <number>', 'at this version (default: the newest)')
        .argParser(wholeNumber)
        .conflicts('timestamp'),
    )
    .addOption(new Option('--timestamp <time>', 'at this time, ISO 8601 with its zone').argParser(time));
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Wants a whole number.');
}

function time(text: string): number {
  const ms = /^\d{4}-\d\d-\d\d(T.+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new InvalidArgumentError("Wants a day or a time with its zone, as '2026-01-31T12:00:00Z'.");
  return ms;
}

function names(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}
