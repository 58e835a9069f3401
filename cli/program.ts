import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createRequire } from 'node:module';
import { MillraceError } from '../schemas/index.ts';
import type { GenerateOptions } from './commands/generate.ts';
import type { ShopFlags } from './dataset/generated-shop.ts';
import type { DatasetChoice } from './dataset/plan-dataset.ts';
import { addDeltaCommands } from './delta/delta-program.ts';
import { exitCodes } from './exit-codes.ts';
import { errorReport } from './report-error.ts';
import { flagOf, variableOf } from './setting.ts';
import { type Flags, readSettings, type SettingKey, type Settings, settings } from './settings.ts';
import { warn } from './terminal.ts';

/**
 * Runs one command line and gives the exit code. What a command needs is loaded when it runs: `--help` needs no database.
 */
export async function run(args: readonly string[], environment = process.env): Promise<number> {
  try {
    const called: { code: number } = { code: exitCodes.ok };
    await program(environment, (code) => (called.code = code)).parseAsync(args, { from: 'user' });
    return called.code;
  } catch (error) {
    // Help and version have come out already.
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.error;
    const { text, exitCode } = errorReport(error instanceof CommanderError ? wrongUsage(error) : error);
    warn(text);
    return exitCode;
  }
}

function program(environment: NodeJS.ProcessEnv, ended: (code: number) => void): Command {
  const millrace = new Command('millrace')
    .description('Recommendations and statistics of a shop, kept up to date by a stream topology in one folder.')
    .version(version(), '-v, --version')
    // `--version` of a command is its own: `millrace delta read TABLE --version 7`.
    .enablePositionalOptions()
    .helpOption('-h, --help', 'show help; `millrace COMMAND --help` tells more')
    .helpCommand(false)
    .addHelpText('after', generalHelp)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  const settingsOf = (flags: Flags): Settings => readSettings(flags, environment);

  withSettings(millrace.command('start'), [
    'dataDir',
    'host',
    'port',
    'partitions',
    'syncWrites',
    'memory',
    'pace',
    'stopDeadlineMs',
    ...kafkaKeys,
    'advertisedUrl',
    'standbyReplicas',
    'streamThreads',
    'processingGuarantee',
  ])
    .summary('serve a data folder over HTTP')
    .description('Opens a data folder, runs the topology, and serves the API and a page until SIGTERM or Ctrl-C.')
    .option('--dataset <name>', 'load and stream a shop: uci, amazon, or none (default: none)', dataset)
    .option('--no-live', 'with --dataset: nothing after the load')
    .option(
      '--catalogue <file>',
      'with --dataset amazon: the full CSV, its categories beside it (default: the shipped sample)',
    )
    .option('--users <number>', 'with --dataset amazon: users of the shop (default: 10000)', wholeNumber(1, 1e8))
    .option(
      '--events <number>',
      'with --dataset amazon: about so many in its history (default: 100000)',
      wholeNumber(1, 1e9),
    )
    .option('--days <number>', 'with --dataset amazon: length of its history (default: 7)', wholeNumber(1, 3650))
    .option(
      '--seed <number>',
      'with --dataset amazon: another seed, another shop (default: 1)',
      wholeNumber(0, 0xffff_ffff),
    )
    .addHelpText('after', startHelp)
    .action(
      async (flags: Flags & ShopFlags & { readonly dataset?: DatasetChoice['dataset']; readonly live: boolean }) => {
        const of = settingsOf(flags);
        const { start } = await import('./commands/start.ts');
        ended(await start(of, { dataset: flags.dataset ?? 'none', live: flags.live, shop: shopFlags(flags) }));
      },
    );

  const ingest = millrace.command('ingest').summary('load a file').description('Loads files into a data folder.');
  withSettings(ingest.command('events'), ['dataDir', 'partitions', 'syncWrites', 'stopDeadlineMs', ...kafkaKeys])
    .argument('<file>', 'plain, .gz or .br')
    .summary('load a file of events')
    .description(
      'Loads a file of events. Loading a file twice changes nothing. Rows that are no events become dead letters.',
    )
    .option(
      '--format <format>',
      'what the file is: uci, rees46, retailrocket, yoochoose, otto or millrace (default: what its first line shows)',
    )
    .option('--no-wait', 'end when the log has the events, before they are processed')
    .addHelpText('after', ingestHelp)
    .action(async (path: string, flags: Flags & { readonly format?: string; readonly wait: boolean }) => {
      const of = settingsOf(flags);
      const { ingestEvents } = await import('./commands/ingest-events.ts');
      ended(await ingestEvents(of, { path, format: flags.format, waits: flags.wait }));
    });

  withSettings(ingest.command('products'), ['dataDir', 'partitions', 'syncWrites', 'stopDeadlineMs', ...kafkaKeys])
    .argument('<file>', 'plain, .gz or .br')
    .summary('load a catalogue')
    .description(
      'Loads a catalogue. Rows that are no products become dead letters; fields that cannot be used are unknown, and ' +
        'counted.',
    )
    .option(
      '--format <format>',
      'what the file is: amazon (Amazon Products 2023), rees46 (its event file) or columns (default: columns with ' +
        '--columns, else what its first line shows)',
    )
    .option('--columns <map>', 'which column holds what, as id=asin,title=name,price=actual_price')
    .option('--currency <code>', 'with --columns: of all products, as USD (default: by signs such as €)')
    .option('--decimal <mark>', 'with --columns: , or . where 1,999 and 1.999 may be read in two ways')
    .option('--categories <file>', 'for amazon; default: amazon_categories.csv, .csv.br or .csv.gz beside the file')
    .option(
      '--updated-at <time>',
      'ISO 8601 day, or time with its zone; from when on what the file says holds (default: now)',
    )
    .option('--no-wait', 'end when the log has the products, before they are processed')
    .addHelpText('after', ingestProductsHelp)
    .action(
      async (
        path: string,
        flags: Flags & {
          readonly format?: string;
          readonly categories?: string;
          readonly updatedAt?: string;
          readonly columns?: string;
          readonly currency?: string;
          readonly decimal?: string;
          readonly wait: boolean;
        },
      ) => {
        const of = settingsOf(flags);
        const { ingestProducts } = await import('./commands/ingest-products.ts');
        const { format, categories: categoriesPath, updatedAt, columns, currency, decimal, wait: waits } = flags;
        const what = { path, format, categoriesPath, updatedAt, columns, currency, decimal, waits };
        ended(await ingestProducts(of, what));
      },
    );

  millrace
    .command('generate')
    .summary('generate events of a shop that never was')
    .description(
      'Writes interactions over a catalogue as NDJSON, one event a line. The same flags and catalogue give the same bytes.',
    )
    .option('--users <number>', 'users of the shop', wholeNumber(1, 1e8), 10_000)
    .option('--events <number>', 'events to write', wholeNumber(0, Number.MAX_SAFE_INTEGER), 100_000)
    .option('--seed <number>', 'another seed, another shop', wholeNumber(0, 0xffff_ffff), 1)
    .option('--days <number>', 'days from 2025-01-01 to spread them over', wholeNumber(1, 36_500), 7)
    .option('--catalogue <file>', 'CSV of Amazon Products 2023, its categories beside it (default: the shipped sample)')
    .option('--out <file>', 'where to write (default: standard output)')
    .action(
      async (
        flags: Omit<GenerateOptions, 'catalogue' | 'out'> & { readonly catalogue?: string; readonly out?: string },
      ) => {
        const { generate } = await import('./commands/generate.ts');
        ended(await generate({ ...flags, catalogue: flags.catalogue, out: flags.out }));
      },
    );

  withSettings(millrace.command('topology'), ['dataDir', 'partitions'])
    .summary('print the topology')
    .description("Prints the topology in Kafka Streams' describe() format, which its visualisers read.")
    .addOption(new Option('--json', 'the graph as JSON').conflicts('execution'))
    .option('--execution', 'how nodes share batches')
    .action(async (flags: Flags & { readonly json?: true; readonly execution?: true }) => {
      const of = settingsOf(flags);
      const { topology } = await import('./commands/inspect.ts');
      ended(await topology(of, flags.execution ? 'execution' : flags.json ? 'json' : 'text'));
    });

  withSettings(millrace.command('stores'), ['dataDir'])
    .summary('list the state stores')
    .description('Lists the state stores, with what their keys and values are.')
    .action(async (flags: Flags) => {
      const of = settingsOf(flags);
      const { stores } = await import('./commands/inspect.ts');
      ended(await stores(of));
    });

  withSettings(millrace.command('query'), ['dataDir'])
    .argument('<store>', 'see `millrace stores`')
    .argument('<key>', 'as it is where keys are strings, as JSON where they are anything else')
    .summary('print a row of a store')
    .description('Prints a row of a store as JSON, with the source offsets that it reflects (asOf).')
    .addHelpText('after', queryHelp)
    .action(async (store: string, key: string, flags: Flags) => {
      const of = settingsOf(flags);
      const { query } = await import('./commands/inspect.ts');
      ended(await query(of, store, key));
    });

  withSettings(millrace.command('verify'), ['dataDir', 'stopDeadlineMs'])
    .summary('recompute everything and compare')
    .description(
      'Recomputes all stores from the events in the log, with other code, and compares every row and list. ' +
        'Needs a folder that no other process has open. Ends with 0 when equal, with 2 when different.',
    )
    .action(async (flags: Flags) => {
      const of = settingsOf(flags);
      const { verify } = await import('./commands/verify.ts');
      ended(await verify(of));
    });

  withSettings(millrace.command('replay'), ['dataDir', 'stopDeadlineMs'])
    .summary('build the state anew from the events, and switch to it')
    .description(
      'Builds a new generation of the state from the source topics beside the one that is served, and switches to it when it ' +
        'has caught up. The old one is kept: `millrace generations`. A running server does it and goes on serving.',
    )
    .option('--from <start>', 'earliest, a day or time of events, or offsets of `interactions`', 'earliest')
    .option('--set <name=number>', 'a parameter other than the active one: may be given several times', collected, [])
    .option('--trimmed', 'begin with what is left where records of a source topic are gone')
    .addHelpText('after', replayHelp)
    .action(
      async (flags: Flags & { readonly from: string; readonly set: readonly string[]; readonly trimmed?: true }) => {
        const of = settingsOf(flags);
        const [{ replay }, { parameterOf, replayStart }] = await Promise.all([
          import('./commands/replay.ts'),
          import('./generations/replay-start.ts'),
        ]);
        const parameters = Object.fromEntries(flags.set.map(parameterOf));
        ended(await replay(of, { from: replayStart(flags.from), trimmed: flags.trimmed ?? false, parameters }));
      },
    );

  const generations = millrace
    .command('generations')
    .summary('list, activate or prune generations of the state')
    .description('Generations of the state that replays have made.');
  withSettings(generations.command('list'), ['dataDir'])
    .description('Lists the generations with their parameters.')
    .action(async (flags: Flags) => {
      const of = settingsOf(flags);
      const { listGenerations } = await import('./commands/replay.ts');
      ended(await listGenerations(of));
    });
  withSettings(generations.command('activate'), ['dataDir', 'stopDeadlineMs'])
    .argument('<generation>', 'its number', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .description('Brings a kept generation up to date and switches to it.')
    .action(async (generation: number, flags: Flags) => {
      const of = settingsOf(flags);
      const { activate } = await import('./commands/replay.ts');
      ended(await activate(of, generation));
    });
  withSettings(generations.command('prune'), ['dataDir'])
    .argument('<generation>', 'its number', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .description(
      'Forgets a generation that is not the active one: its state and its topics. One that replays is given up.',
    )
    .action(async (generation: number, flags: Flags) => {
      const of = settingsOf(flags);
      const { prune } = await import('./commands/replay.ts');
      ended(await prune(of, generation));
    });

  withSettings(millrace.command('backup'), ['dataDir'])
    .argument('<folder>', 'new or empty')
    .summary('copy a data folder, also while it is served')
    .description('Copies a data folder as of one commit into a backup. A running server goes on meanwhile.')
    .action(async (folder: string, flags: Flags) => {
      const of = settingsOf(flags);
      const { backup } = await import('./commands/backup.ts');
      ended(await backup(of, folder));
    });

  millrace
    .command('restore')
    .argument('<backup>', 'what `millrace backup` made')
    .argument('<folder>', 'the data folder to make: new or empty')
    .summary('make a data folder of a backup')
    .description('Makes a data folder of a backup and checks every file. Nothing is overwritten.')
    .action(async (from: string, folder: string) => {
      const { restore } = await import('./commands/restore.ts');
      ended(await restore(from, folder));
    });

  addDeltaCommands(millrace, ended);
  return millrace;
}

/** How a command is told of a cluster. */
const kafkaKeys: readonly SettingKey[] = [
  'kafka',
  'registry',
  'applicationId',
  'kafkaTls',
  'kafkaCa',
  'kafkaUser',
  'kafkaPassword',
];

/** The flags of these settings, each with its default and the variable that sets it too. */
function withSettings(command: Command, keys: readonly SettingKey[]): Command {
  for (const key of keys) {
    const { placeholder, help, standard } = settings[key];
    const about = `${help} (default: ${standard === '' ? 'none' : standard}; ${variableOf(key)})`;
    if (placeholder !== undefined) command.option(`${flagOf(key)} <${placeholder}>`, about);
    else {
      command.option(flagOf(key), about);
      command.addOption(new Option(`--no-${flagOf(key).slice(2)}`).hideHelp());
    }
  }
  return command.option('--config <file>', 'JSON object with any of dataDir, port … (MILLRACE_CONFIG)');
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Wants a whole number ${min}..${max}.`);
  };
}

function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function dataset(name: string): string {
  if (name === 'uci' || name === 'amazon' || name === 'none') return name;
  throw new InvalidArgumentError(`Wants uci, amazon or none.`);
}

/** Those that were given. */
function shopFlags(flags: ShopFlags): ShopFlags {
  const { catalogue, users, events, days, seed } = flags;
  const given = Object.entries({ catalogue, users, events, days, seed }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as ShopFlags;
}

function wrongUsage({ message }: CommanderError): MillraceError {
  const said = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return new MillraceError('INVALID_ARGUMENT', `${said}; 'millrace --help' shows what there is`);
}

function version(): string {
  const { version: found } = createRequire(import.meta.url)('millrace/package.json') as { readonly version: string };
  return found;
}

const generalHelp = `
Try:
  npm start                                         two years of a real shop: one replayed, one streamed live
  npm start -- --dataset amazon --data-dir amazon   a large shop that never was, in real time
  millrace start --data-dir shop --port 8080        serve a folder of your own
  millrace ingest events lines.csv --data-dir shop
  millrace query product-stats 85123A               a row of a store, from the running server or the folder
  millrace verify                                   is the state what its events make it?

Settings: a flag wins over the environment (MILLRACE_DATA_DIR …), that over the --config file, that over the default.

Exit codes: 0 done · 1 something you can mend, told in one sentence (docs/errors.md) · 2 verify found differences ·
  70 a defect of Millrace, with its stack · 130 ended at once by a second Ctrl-C`;

const startHelp = `
Examples:
  millrace start                                    .data on http://127.0.0.1:3000
  millrace start --dataset uci --pace 2000          what npm start does, ten times as fast
  millrace start --dataset amazon --data-dir amazon --catalogue amazon_products.csv --users 1000000
                                                    a generated week over 1.4 million products, then live events
  MILLRACE_PORT=0 millrace start                    on a free port, which it prints
  millrace start --kafka 127.0.0.1:9092 --registry http://127.0.0.1:8081 --data-dir one
                                                    an instance on a cluster; a second one with another folder and port shares its work

Ctrl-C or SIGTERM finishes the batch under way, commits and closes; the next start goes on there. A second Ctrl-C ends
at once: nothing that was acknowledged is lost either way.`;

const ingestHelp = `
Examples:
  millrace ingest events data/uci-online-retail/year-2.csv.br
  millrace ingest events shop.ndjson                what POST /v1/events takes, one a line; or CSV

The data folder must not be open in another process; a running server takes events by POST /v1/events. With --kafka the file
goes to the cluster's topic, and instances that run process it.`;

const ingestProductsHelp = `
Examples:
  millrace ingest products amazon_products.csv
  millrace ingest products shop.tsv --columns id=sku,title=name,category=group,price=price --currency USD
  millrace ingest products laden.csv.gz --columns 'id=Nr,title=Name,price="Preis, netto"' --decimal ,

Fields of a product: id, title, category, price, listPrice, currency, stars, reviews, bestSeller, imageUrl, url, active,
updatedAt. Numbers may have currency signs, groups and percent signs: docs/architecture/sources.md tells how they are read.`;

const replayHelp = `
Examples:
  millrace replay                                   the same again, from the first event on
  millrace replay --set pairPositions=5             items are paired 5 places back, no longer 10
  millrace replay --from 2010-12-01                 the state of what came since
  millrace generations activate 1                   back to how it was

Parameters: pairPositions (1..50), sessionGapMs, dedupeHorizonMs: docs/architecture/replay.md.`;

const queryHelp = `
Examples:
  millrace query product-stats 85123A
  millrace query product-hours 85123A/2010-06
  millrace query user-profiles 17380`;
