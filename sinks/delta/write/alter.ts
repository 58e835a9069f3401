import { MillraceError } from '../../../schemas/errors.ts';
import { commit } from '../commit/committer.ts';
import type { ReadScope } from '../commit/conflict.ts';
import type { TableContext } from '../context.ts';
import type { Action, Metadata } from '../log/action.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { scanSource } from '../read/scan-table.ts';
import { scanFiles } from '../read/scan.ts';
import { formatSchema, parseSchema, type StructField, type StructType } from '../schema/schema.ts';
import { decodePath } from '../log/uri-path.ts';
import { checkExpression } from './check-expression.ts';
import { checkRows } from './constraints.ts';
import { protocolFor } from './create.ts';

/**
 * Adds columns at the end of the schema. Rows that are there have null in them, so they are nullable.
 * @throws MillraceError `INVALID_ARGUMENT` for a column that is there, or may not be null
 */
export async function addColumns(context: TableContext, base: Snapshot, added: StructType): Promise<Snapshot> {
  const schema = parseSchema(base.metadata.schemaString, context.storage.location);
  const present = new Set(schema.fields.map(({ name }) => name.toLowerCase()));
  for (const { name, nullable } of added.fields) {
    const what = present.has(name.toLowerCase()) ? 'is there already' : nullable ? undefined : 'wants to be nullable';
    if (what !== undefined)
      throw new MillraceError('INVALID_ARGUMENT', `The column '${name}' ${what}`, { column: name });
  }
  const columns: readonly StructField[] = added.fields;
  const grown: StructType = { type: 'struct', fields: [...schema.fields, ...columns] };
  return changeMetadata(context, base, {
    operation: 'ADD COLUMNS',
    parameters: { columns: JSON.stringify(columns.map((column) => ({ column }))) },
    metadata: { ...base.metadata, schemaString: formatSchema(grown) },
    reads: 'nothing',
  });
}

/** Sets properties; one with the value undefined is taken away. A feature that a property needs is switched on. */
export async function setProperties(
  context: TableContext,
  base: Snapshot,
  properties: Readonly<Record<string, string | undefined>>,
): Promise<Snapshot> {
  const merged = Object.entries({ ...base.metadata.configuration, ...properties });
  const configuration = Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== undefined));
  const constraint = Object.keys(properties).find((key) => /^delta\.(constraints|columnMapping)\./.test(key));
  if (constraint !== undefined) {
    throw new MillraceError('INVALID_ARGUMENT', `The property ${constraint} can't be set by hand`, {
      property: constraint,
    });
  }
  return changeMetadata(context, base, {
    operation: 'SET TBLPROPERTIES',
    parameters: { properties: JSON.stringify(properties) },
    metadata: { ...base.metadata, configuration: withEnablement(configuration, base) },
    reads: Object.hasOwn(properties, 'delta.enableInCommitTimestamps') ? 'version' : 'nothing',
  });
}

/**
 * Adds a CHECK constraint, in the part of Spark's SQL that check-expression.ts knows.
 * @throws MillraceError `ROW_INVALID` when rows of the table do not meet it; `TABLE_UNSUPPORTED` for SQL it does not know;
 *   `TABLE_CONFLICT` when others wrote meanwhile
 */
export async function addConstraint(
  context: TableContext,
  base: Snapshot,
  { name, expression }: { readonly name: string; readonly expression: string },
): Promise<Snapshot> {
  const key = `delta.constraints.${name.toLowerCase()}`;
  if (Object.hasOwn(base.metadata.configuration, key)) {
    throw new MillraceError('INVALID_ARGUMENT', `There is a constraint '${name}' already`, { constraint: name });
  }
  const { storage } = context;
  const schema = parseSchema(base.metadata.schemaString, storage.location);
  const condition = checkExpression(expression, schema, name);
  await context.db.session(async (session) => {
    const files = [...base.files.values()];
    await using scan = await scanFiles(scanSource(context, session, base), files, (path) =>
      decodePath(path, storage.location),
    );
    await checkRows(session, `(${scan.sql})`, new Map([[name, condition]]));
  });
  return changeMetadata(context, base, {
    operation: 'ADD CONSTRAINT',
    parameters: { name, expr: expression },
    metadata: { ...base.metadata, configuration: { ...base.metadata.configuration, [key]: expression } },
    reads: 'everything',
  });
}

/** @throws MillraceError `INVALID_ARGUMENT` when there is none of the name */
export async function dropConstraint(context: TableContext, base: Snapshot, name: string): Promise<Snapshot> {
  const key = `delta.constraints.${name.toLowerCase()}`;
  const { [key]: dropped, ...configuration } = base.metadata.configuration;
  if (dropped === undefined) {
    throw new MillraceError('INVALID_ARGUMENT', `There is no constraint '${name}'`, { constraint: name });
  }
  return changeMetadata(context, base, {
    operation: 'DROP CONSTRAINT',
    parameters: { name, expr: dropped, existed: 'true' },
    metadata: { ...base.metadata, configuration },
    reads: 'nothing',
  });
}

interface MetadataChange {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly metadata: Metadata;
  readonly reads: ReadScope;
}

async function changeMetadata(context: TableContext, base: Snapshot, change: MetadataChange): Promise<Snapshot> {
  const { storage } = context;
  checkWritable(base.protocol, base.metadata, storage.location);
  const { operation, parameters, metadata, reads } = change;
  const protocol = protocolFor(base.protocol, metadata, parseSchema(metadata.schemaString, storage.location));
  const rises = protocol !== base.protocol;
  const actions: Action[] = [...(rises ? [{ protocol }] : []), { metaData: metadata }];
  return commit(storage, base, { operation, parameters, actions, reads });
}

/** In-commit timestamps that are switched on later say from which version on they hold (protocol, In-Commit Timestamps). */
function withEnablement(
  configuration: Readonly<Record<string, string>>,
  base: Snapshot,
): Readonly<Record<string, string>> {
  const now = tableProperties({ configuration }).inCommitTimestamps;
  if (!now || tableProperties(base.metadata).inCommitTimestamps) return configuration;
  return {
    ...configuration,
    'delta.inCommitTimestampEnablementVersion': String(base.version + 1),
    'delta.inCommitTimestampEnablementTimestamp': String(Date.now()),
  };
}
