import { randomUUID } from 'node:crypto';
import { MillraceError } from '../../../schemas/errors.ts';
import { engineInfo } from '../commit/committer.ts';
import type { TableContext } from '../context.ts';
import type { Action, Metadata, Protocol } from '../log/action.ts';
import { formatCommit } from '../log/commit-file.ts';
import { commitPath } from '../log/log-files.ts';
import { checkWritable, simplestProtocol, withFeature } from '../log/protocol.ts';
import { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { formatSchema, someType, type StructType } from '../schema/schema.ts';

export interface TableDefinition {
  readonly schema: StructType;
  /** Columns by whose values files are kept apart. Their type is anything but binary, struct, array and map. */
  readonly partitionColumns?: readonly string[];
  /** Properties of the table, as `delta.appendOnly: 'true'`. One that needs a feature switches it on. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly description?: string;
}

/**
 * Writes version 0. The table is at reader 1 and writer 2, which everything reads, unless a property or a type needs more.
 * @throws MillraceError `TABLE_EXISTS`, also when another writer was quicker
 */
export async function createTable({ storage }: TableContext, definition: TableDefinition): Promise<Snapshot> {
  const { schema, partitionColumns = [], properties = {}, name, description } = definition;
  checkPartitionColumns(schema, partitionColumns);
  const now = Date.now();
  const metadata: Metadata = {
    id: randomUUID(),
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    format: { provider: 'parquet', options: {} },
    schemaString: formatSchema(schema),
    partitionColumns,
    createdTime: now,
    configuration: properties,
  };
  const protocol = protocolFor(simplestProtocol, metadata, schema);
  checkWritable(protocol, metadata, storage.location);
  const actions: Action[] = [
    {
      commitInfo: {
        ...(tableProperties(metadata).inCommitTimestamps && { inCommitTimestamp: now }),
        timestamp: now,
        operation: 'CREATE TABLE',
        operationParameters: {
          partitionBy: JSON.stringify(partitionColumns),
          properties: JSON.stringify(properties),
        },
        isBlindAppend: true,
        engineInfo,
        txnId: randomUUID(),
      },
    },
    { protocol },
    { metaData: metadata },
  ];
  if (!(await storage.putIfAbsent(commitPath(0), formatCommit(actions)))) {
    throw new MillraceError('TABLE_EXISTS', `There is a Delta table in ${storage.location} already`, {
      table: storage.location,
    });
  }
  return Snapshot.replay(storage.location, undefined, [{ version: 0, actions }]);
}

/** The protocol with the features that properties and types ask for. */
export function protocolFor(protocol: Protocol, metadata: Metadata, schema: StructType): Protocol {
  const properties = tableProperties(metadata);
  const wanted = [
    ...(properties.constraints.size > 0 ? ['checkConstraints'] : []),
    ...(properties.changeDataFeed ? ['changeDataFeed'] : []),
    ...(properties.deletionVectors ? ['deletionVectors'] : []),
    ...(properties.inCommitTimestamps ? ['inCommitTimestamp'] : []),
    ...(someType(schema, (type) => type === 'timestamp_ntz') ? ['timestampNtz'] : []),
  ];
  return wanted.reduce(withFeature, protocol);
}

/** @throws MillraceError `INVALID_ARGUMENT` */
function checkPartitionColumns(schema: StructType, columns: readonly string[]): void {
  for (const column of columns) {
    const type = schema.fields.find((field) => field.name === column)?.type;
    if (typeof type !== 'string' || type === 'binary' || type === 'void') {
      const found = type === undefined ? 'no such column' : typeof type === 'string' ? type : type.type;
      throw new MillraceError('INVALID_ARGUMENT', `A table can't be partitioned by '${column}': found ${found}`, {
        column,
      });
    }
  }
  if (new Set(columns).size < columns.length || columns.length === schema.fields.length) {
    throw new MillraceError(
      'INVALID_ARGUMENT',
      `Partition columns want to be different, and fewer than the ${schema.fields.length} of the schema: ${columns.join(', ')}`,
      { columns: columns.join(',') },
    );
  }
}
