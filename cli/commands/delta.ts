import { extname } from 'node:path';
import { MillraceError } from '../../schemas/index.ts';
import { type AsOf, DeltaTable, type FileFormat } from '../../sinks/delta/index.ts';
import type { VersionFlags } from '../delta/delta-program.ts';
import { exitCodes } from '../exit-codes.ts';
import { whole } from '../progress.ts';
import { print, table as columns } from '../terminal.ts';

/** `millrace delta inspect` */
export async function inspect(path: string, flags: VersionFlags): Promise<number> {
  await using table = await DeltaTable.open(path);
  const { version, protocol, metadata, files, transactions } = await table.snapshotAt(asOf(flags));
  const { minReaderVersion, minWriterVersion, readerFeatures, writerFeatures } = protocol;
  const adds = [...files.values()];
  const bytes = adds.reduce((sum, { size }) => sum + size, 0);
  const rows = await table.count(asOf(flags));
  print(`version     ${version}`);
  print(`id          ${metadata.id}`);
  if (metadata.name !== undefined) print(`name        ${metadata.name}`);
  const features = [...new Set([...(readerFeatures ?? []), ...(writerFeatures ?? [])])].join(', ');
  print(`protocol    reader ${minReaderVersion}, writer ${minWriterVersion}${features === '' ? '' : `: ${features}`}`);
  print(`files       ${whole(adds.length)}, ${whole(bytes)} bytes, ${whole(rows)} rows`);
  if (metadata.partitionColumns.length > 0) print(`partitions  by ${metadata.partitionColumns.join(', ')}`);
  for (const [key, value] of Object.entries(metadata.configuration)) print(`property    ${key} = ${value}`);
  for (const { appId, version: of } of transactions.values()) print(`transaction ${appId} up to ${of}`);
  const { fields } = JSON.parse(metadata.schemaString) as {
    fields: { name: string; type: unknown; nullable: boolean }[];
  };
  print('');
  print(
    columns(
      ['COLUMN', 'TYPE', 'NULL'],
      fields.map(({ name, type, nullable }) => [
        name,
        typeof type === 'string' ? type : JSON.stringify(type),
        nullable ? 'yes' : 'no',
      ]),
    ),
  );
  return exitCodes.ok;
}

/** `millrace delta history` */
export async function history(path: string, { limit }: { readonly limit: number }): Promise<number> {
  await using table = await DeltaTable.open(path);
  const entries = await table.history(limit);
  print(
    columns(
      ['VERSION', 'TIME', 'OPERATION', 'PARAMETERS', 'METRICS', 'ENGINE'],
      entries.map(({ version, timestampMs, commitInfo }) => [
        String(version),
        new Date(timestampMs).toISOString(),
        commitInfo.operation ?? '?',
        pairs(commitInfo.operationParameters),
        pairs(commitInfo.operationMetrics),
        commitInfo.engineInfo ?? '?',
      ]),
    ),
  );
  return exitCodes.ok;
}

/** `millrace delta read` */
export async function read(
  path: string,
  flags: VersionFlags & { readonly out: string; readonly columns?: readonly string[] },
): Promise<number> {
  const format = formatOf(flags.out);
  await using table = await DeltaTable.open(path);
  const { version } = await table.snapshotAt(asOf(flags));
  const some = flags.columns === undefined ? {} : { columns: flags.columns };
  const rows = await table.copyTo({ path: flags.out, format }, { version, ...some });
  print(`${whole(rows)} rows of version ${version} in ${flags.out}.`);
  return exitCodes.ok;
}

/** `millrace delta optimize` */
export async function optimize(
  path: string,
  { targetMb, clusterBy }: { readonly targetMb: number; readonly clusterBy?: readonly string[] },
): Promise<number> {
  await using table = await DeltaTable.open(path);
  const clustering = clusterBy === undefined ? {} : { clusterBy };
  const { snapshot, filesRemoved, filesAdded } = await table.optimize({
    targetBytes: targetMb * 2 ** 20,
    ...clustering,
  });
  print(`${whole(filesRemoved)} files are ${whole(filesAdded)} now, as of version ${snapshot.version}.`);
  return exitCodes.ok;
}

/** `millrace delta vacuum` */
export async function vacuum(
  path: string,
  flags: { readonly dryRun?: true; readonly retentionHours?: number; readonly force?: true },
): Promise<number> {
  await using table = await DeltaTable.open(path);
  const { paths, bytes } = await table.vacuum({
    dryRun: flags.dryRun ?? false,
    shorter: flags.force ?? false,
    ...(flags.retentionHours !== undefined && { retentionMs: flags.retentionHours * 3_600_000 }),
  });
  if (flags.dryRun) {
    for (const each of paths) print(each);
    print(`${whole(paths.length)} files, ${whole(bytes)} bytes would go.`);
    return exitCodes.ok;
  }
  const entries = await table.cleanLog();
  print(`${whole(paths.length)} files, ${whole(bytes)} bytes, and ${whole(entries.length)} files of the log are gone.`);
  return exitCodes.ok;
}

/** `millrace delta checkpoint` */
export async function checkpoint(path: string): Promise<number> {
  await using table = await DeltaTable.open(path);
  await table.checkpoint();
  print(`There is a checkpoint of version ${table.snapshot.version}.`);
  return exitCodes.ok;
}

/** `millrace delta restore` */
export async function restore(path: string, flags: VersionFlags): Promise<number> {
  if (flags.version === undefined && flags.timestamp === undefined) {
    throw new MillraceError('INVALID_ARGUMENT', 'A restore wants --version or --timestamp, found neither');
  }
  await using table = await DeltaTable.open(path);
  const then = await table.snapshotAt(asOf(flags));
  const { version } = await table.restore({ version: then.version });
  print(`Version ${version} is what version ${then.version} was: ${whole(then.files.size)} files.`);
  return exitCodes.ok;
}

function asOf({ version, timestamp }: VersionFlags): AsOf {
  return { ...(version !== undefined && { version }), ...(timestamp !== undefined && { timestampMs: timestamp }) };
}

function formatOf(path: string): FileFormat {
  const format = extname(path).slice(1).toLowerCase();
  if (format === 'parquet' || format === 'csv' || format === 'json') return format;
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `--out wants a name that ends in .parquet, .csv or .json, found ${path}`,
    {
      path,
    },
  );
}

function pairs(of: Readonly<Record<string, string>> | undefined): string {
  const text = Object.entries(of ?? {})
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
