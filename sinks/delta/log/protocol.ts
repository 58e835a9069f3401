import { MillraceError } from '../../../schemas/errors.ts';
import type { Metadata, Protocol } from './action.ts';

/**
 * What a table asks of those who read and write it (protocol, Table Features). Up to reader 2 and writer 6 a number stands
 * for a set of features; at reader 3 and writer 7 they are listed. A table that asks for a feature that Millrace lacks is
 * refused by its name: read without it, it would have wrong rows.
 */
const readable: ReadonlySet<string> = new Set([
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'typeWidening',
  'typeWidening-preview',
  'v2Checkpoint',
  'vacuumProtocolCheck',
]);

const writable: ReadonlySet<string> = new Set([
  'appendOnly',
  'invariants',
  'checkConstraints',
  'changeDataFeed',
  'deletionVectors',
  'domainMetadata',
  'clustering',
  'inCommitTimestamp',
  'timestampNtz',
  'v2Checkpoint',
  'vacuumProtocolCheck',
]);

/** Features that a writer version up to 6 stands for, each with those of the versions before it. */
const legacyWriterFeatures: Readonly<Record<number, readonly string[]>> = {
  2: ['appendOnly', 'invariants'],
  3: ['checkConstraints'],
  4: ['changeDataFeed', 'generatedColumns'],
  5: ['columnMapping'],
  6: ['identityColumns'],
};

export const simplestProtocol: Protocol = { minReaderVersion: 1, minWriterVersion: 2 };

/** @throws MillraceError `TABLE_UNSUPPORTED` */
export function checkReadable(protocol: Protocol, { format }: Metadata, location: string): void {
  if (protocol.minReaderVersion > 3) {
    throw unsupported(location, `reader version ${protocol.minReaderVersion}, and Millrace knows versions up to 3`);
  }
  const missing = readerFeatures(protocol).filter((feature) => !readable.has(feature));
  if (missing.length > 0) throw unsupported(location, `the reader features ${missing.join(', ')}`, missing);
  if (format.provider !== 'parquet') throw unsupported(location, `files in the format ${format.provider}`);
}

/**
 * Features of an old writer version that the table could use, and does not, are no hindrance.
 * @throws MillraceError `TABLE_UNSUPPORTED`
 */
export function checkWritable(protocol: Protocol, metadata: Metadata, location: string): void {
  checkReadable(protocol, metadata, location);
  if (protocol.minWriterVersion > 7) {
    throw unsupported(location, `writer version ${protocol.minWriterVersion}, and Millrace knows versions up to 7`);
  }
  const missing = writerFeatures(protocol).filter(
    (feature) => !writable.has(feature) && (protocol.minWriterVersion === 7 || uses(metadata, feature)),
  );
  if (missing.length > 0) throw unsupported(location, `the writer features ${missing.join(', ')}`, missing);
}

export function supportsForReading(protocol: Protocol, feature: string): boolean {
  return readerFeatures(protocol).includes(feature);
}

export function supportsForWriting(protocol: Protocol, feature: string): boolean {
  return writerFeatures(protocol).includes(feature);
}

/** The protocol with a feature more. What the versions up to now stand for stays, listed where it has to be. */
export function withFeature(protocol: Protocol, feature: string): Protocol {
  if (supportsForWriting(protocol, feature)) return protocol;
  const forReaders = readable.has(feature);
  const readers = [...readerFeatures(protocol), ...(forReaders ? [feature] : [])];
  return {
    minReaderVersion: forReaders ? 3 : protocol.minReaderVersion,
    minWriterVersion: 7,
    ...(forReaders || protocol.minReaderVersion === 3 ? { readerFeatures: readers } : {}),
    writerFeatures: [...writerFeatures(protocol), feature],
  };
}

function readerFeatures(protocol: Protocol): readonly string[] {
  if (protocol.minReaderVersion === 3) return protocol.readerFeatures ?? [];
  return protocol.minReaderVersion === 2 ? ['columnMapping'] : [];
}

function writerFeatures(protocol: Protocol): readonly string[] {
  if (protocol.minWriterVersion >= 7) return protocol.writerFeatures ?? [];
  return Object.entries(legacyWriterFeatures).flatMap(([version, features]) =>
    Number(version) <= protocol.minWriterVersion ? features : [],
  );
}

function uses({ configuration, schemaString }: Metadata, feature: string): boolean {
  switch (feature) {
    case 'generatedColumns':
      return schemaString.includes('"delta.generationExpression"');
    case 'identityColumns':
      return schemaString.includes('"delta.identity.');
    case 'columnMapping':
      return (configuration['delta.columnMapping.mode'] ?? 'none') !== 'none';
    default:
      return true;
  }
}

function unsupported(table: string, what: string, features: readonly string[] = []): MillraceError {
  return new MillraceError('TABLE_UNSUPPORTED', `The table ${table} needs ${what}: Millrace does not have it`, {
    table,
    features: features.join(','),
  });
}
