import { MillraceError } from '../../../schemas/errors.ts';
import type { StructField } from '../schema/schema.ts';
import type { NamesInFile } from './projection.ts';

/**
 * Column mapping (protocol, Column Mapping): by the name of the schema, by a physical name that stays when a column is renamed,
 * or by the field id in the Parquet file.
 */
export type ColumnMapping = 'none' | 'name' | 'id';

/** By which partition values and statistics go, whatever the mode. */
export function physicalName(field: StructField, mapping: ColumnMapping): string {
  if (mapping === 'none') return field.name;
  const name = field.metadata['delta.columnMapping.physicalName'];
  if (typeof name === 'string') return name;
  throw missing(field, 'delta.columnMapping.physicalName');
}

export function namesByName(mapping: 'none' | 'name'): NamesInFile {
  const names: NamesInFile = {
    asInSchema: mapping === 'none',
    nameOf: (field, present) => {
      const wanted = physicalName(field, mapping);
      if (present.includes(wanted)) return wanted;
      // Spark does not tell names apart by their case, and some wrote files with another one.
      return present.find((name) => name.toLowerCase() === wanted.toLowerCase());
    },
    inside: () => names,
  };
  return names;
}

/** A field of a Parquet file with those inside it, lists and maps without the levels that only Parquet has. */
export interface ParquetField {
  readonly name: string;
  readonly fieldId: number | undefined;
  readonly children: readonly ParquetField[];
}

export function namesById(root: ParquetField): NamesInFile {
  return {
    asInSchema: false,
    nameOf: (field) => {
      const id = field.metadata['delta.columnMapping.id'];
      if (typeof id !== 'number') throw missing(field, 'delta.columnMapping.id');
      return root.children.find((child) => child.fieldId === id)?.name;
    },
    inside: (name) => namesById(root.children.find((child) => child.name === name) ?? { ...root, children: [] }),
  };
}

export interface ParquetSchemaRow {
  readonly name: string;
  readonly children: number;
  readonly fieldId: number | undefined;
  readonly repeated: boolean;
  readonly kind: 'list' | 'map' | undefined;
}

/** The tree of fields from the rows of `parquet_schema`, which come in depth-first order. */
export function parquetTree(rows: readonly ParquetSchemaRow[]): ParquetField {
  let at = 0;
  const read = (): ParquetField & ParquetSchemaRow => {
    const row = rows[at++]!;
    const below = Array.from({ length: row.children }, read);
    return { ...row, children: flattened(row, below) } as never;
  };
  return read();
}

/** What `projection.ts` calls them: element, key and value. */
function flattened(
  { kind }: ParquetSchemaRow,
  below: readonly (ParquetField & ParquetSchemaRow)[],
): readonly ParquetField[] {
  const [repeated] = below;
  if (kind === undefined || repeated === undefined) return below;
  if (kind === 'list') {
    const element = repeated.children.length === 1 && repeated.name !== 'array' ? repeated.children[0]! : repeated;
    return [{ ...element, name: 'element' }];
  }
  return repeated.children.map((child, index) => ({ ...child, name: index === 0 ? 'key' : 'value' }));
}

function missing({ name }: StructField, what: string): MillraceError {
  return new MillraceError('TABLE_CORRUPT', `Columns are mapped, and the column '${name}' has no ${what}`, {
    column: name,
  });
}
