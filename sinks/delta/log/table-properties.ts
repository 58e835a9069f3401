import { MillraceError } from '../../../schemas/errors.ts';
import type { Metadata } from './action.ts';

/** The properties of a table that mean something here, with the defaults of delta-spark. */
export interface TableProperties {
  /** Rows can be added, never changed or removed. */
  readonly appendOnly: boolean;
  /** Commits from one Delta checkpoint to the next. */
  readonly checkpointInterval: number;
  /** How long a removed file is kept for readers of older versions. */
  readonly deletedFileRetentionMs: number;
  /** How long commits are kept, and with them the versions that can be read. */
  readonly logRetentionMs: number;
  /** Leaf columns with statistics, from the first; -1 for all. */
  readonly indexedColumns: number;
  readonly changeDataFeed: boolean;
  readonly deletionVectors: boolean;
  readonly inCommitTimestamps: boolean;
  readonly columnMapping: 'none' | 'name' | 'id';
  /** Name and expression, in the SQL of Spark. */
  readonly constraints: ReadonlyMap<string, string>;
}

/** @throws MillraceError `TABLE_UNSUPPORTED` for a value that is none of those allowed */
export function tableProperties({ configuration }: Pick<Metadata, 'configuration'>): TableProperties {
  const text = (key: string): string | undefined =>
    Object.hasOwn(configuration, key) ? configuration[key] : undefined;
  const flag = (key: string): boolean => text(key)?.toLowerCase() === 'true';
  const integer = (key: string, otherwise: number): number => {
    const value = text(key) ?? String(otherwise);
    if (!/^-?\d+$/.test(value)) throw badProperty(key, 'an integer', value);
    return Number(value);
  };
  const interval = (key: string, otherwise: string): number => intervalMs(key, text(key) ?? otherwise);
  const mapping = text('delta.columnMapping.mode') ?? 'none';
  if (mapping !== 'none' && mapping !== 'name' && mapping !== 'id') {
    throw badProperty('delta.columnMapping.mode', 'none, name or id', mapping);
  }
  const prefix = 'delta.constraints.';
  const constraints = Object.entries(configuration).filter(([key]) => key.startsWith(prefix));
  return {
    appendOnly: flag('delta.appendOnly'),
    checkpointInterval: integer('delta.checkpointInterval', 10),
    deletedFileRetentionMs: interval('delta.deletedFileRetentionDuration', 'interval 7 days'),
    logRetentionMs: interval('delta.logRetentionDuration', 'interval 30 days'),
    indexedColumns: integer('delta.dataSkippingNumIndexedCols', 32),
    changeDataFeed: flag('delta.enableChangeDataFeed'),
    deletionVectors: flag('delta.enableDeletionVectors'),
    inCommitTimestamps: flag('delta.enableInCommitTimestamps'),
    columnMapping: mapping,
    constraints: new Map(constraints.map(([key, expression]) => [key.slice(prefix.length), expression])),
  };
}

const unitMs: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
};

/** `interval 7 days`, `interval 1 week 12 hours`; months have no length, and are refused as Spark refuses them. */
function intervalMs(key: string, text: string): number {
  const parts = text
    .trim()
    .toLowerCase()
    .replace(/^interval\s+/, '')
    .split(/\s+/);
  let total = 0;
  for (let at = 0; at < parts.length; at += 2) {
    const unit = unitMs[(parts[at + 1] ?? '').replace(/s$/, '')];
    if (unit === undefined || !/^\d+$/.test(parts[at]!))
      throw badProperty(key, "an interval as 'interval 7 days'", text);
    total += Number(parts[at]) * unit;
  }
  return total;
}

function badProperty(key: string, wanted: string, found: string): MillraceError {
  return new MillraceError('TABLE_UNSUPPORTED', `The table property ${key} wants ${wanted}, found '${found}'`, {
    property: key,
    found,
  });
}
