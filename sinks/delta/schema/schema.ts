import { MillraceError } from '../../../schemas/errors.ts';
import { formatExactJson, type Json, parseExactJson } from '../log/exact-json.ts';

/** A schema as the log writes it (protocol, Schema Serialization Format). `tableSchema` writes one shorter. */
export interface StructType {
  readonly type: 'struct';
  readonly fields: readonly StructField[];
}

export interface StructField {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  readonly metadata: FieldMetadata;
}

export interface ArrayType {
  readonly type: 'array';
  readonly elementType: DataType;
  readonly containsNull: boolean;
}

export interface MapType {
  readonly type: 'map';
  readonly keyType: DataType;
  readonly valueType: DataType;
  readonly valueContainsNull: boolean;
}

export type DataType = PrimitiveType | StructType | ArrayType | MapType;

/** `decimal(P,S)`: P digits, up to 38, S of them behind the point. */
export type PrimitiveType = PrimitiveName | `decimal(${number},${number})`;

const primitiveNames = [
  'boolean',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'string',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
  'void',
] as const;
type PrimitiveName = (typeof primitiveNames)[number];

export type FieldMetadata = Readonly<Record<string, Json>>;

/**
 * A schema in short: a type where the column may be null, or `{ type, nullable: false }`.
 *
 *     tableSchema({ id: { type: 'long', nullable: false }, title: 'string', tags: arrayOf('string') })
 */
export function tableSchema(columns: Readonly<Record<string, DataType | ColumnDefinition>>): StructType {
  const fields = Object.entries(columns).map(([name, column]): StructField => {
    if (isColumnDefinition(column)) return { name, type: column.type, nullable: column.nullable ?? true, metadata: {} };
    return { name, type: column, nullable: true, metadata: {} };
  });
  const schema: StructType = { type: 'struct', fields };
  checkNames(schema, 'the schema');
  return schema;
}

export interface ColumnDefinition {
  readonly type: DataType;
  /** Default true. */
  readonly nullable?: boolean;
}

export function arrayOf(elementType: DataType): ArrayType {
  return { type: 'array', elementType, containsNull: true };
}

export function mapOf(keyType: DataType, valueType: DataType): MapType {
  return { type: 'map', keyType, valueType, valueContainsNull: true };
}

/** @throws MillraceError `TABLE_CORRUPT`, `TABLE_UNSUPPORTED` for a type that Millrace does not know */
export function parseSchema(schemaString: string, location: string): StructType {
  const where = `the schema of the table ${location}`;
  let json: Json;
  try {
    json = parseExactJson(schemaString);
  } catch (cause) {
    throw corrupt(where, `is not JSON: ${(cause as Error).message}`, cause);
  }
  const schema = readType(json, where);
  if (!isStruct(schema)) throw corrupt(where, 'wants a struct');
  checkNames(schema, where);
  return schema;
}

export function formatSchema(schema: StructType): string {
  return formatExactJson(schema as unknown as Json);
}

/** Precision and scale of a decimal; undefined for other types. */
export function decimalOf(type: DataType): { readonly precision: number; readonly scale: number } | undefined {
  const match = typeof type === 'string' ? /^decimal\((\d+),\s*(-?\d+)\)$/.exec(type) : null;
  return match === null ? undefined : { precision: Number(match[1]), scale: Number(match[2]) };
}

export function isStruct(type: DataType): type is StructType {
  return typeof type === 'object' && type.type === 'struct';
}

/** What a type is called in a message. */
export function typeName(type: DataType): string {
  if (typeof type === 'string') return type;
  switch (type.type) {
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}: ${typeName(field.type)}`).join(', ')}>`;
    case 'array':
      return `array<${typeName(type.elementType)}>`;
    case 'map':
      return `map<${typeName(type.keyType)}, ${typeName(type.valueType)}>`;
  }
}

/** Whether a type, or one inside it, is as asked. */
export function someType(type: DataType, asked: (type: DataType) => boolean): boolean {
  if (asked(type)) return true;
  if (typeof type === 'string') return false;
  switch (type.type) {
    case 'struct':
      return type.fields.some((field) => someType(field.type, asked));
    case 'array':
      return someType(type.elementType, asked);
    case 'map':
      return someType(type.keyType, asked) || someType(type.valueType, asked);
  }
}

function readType(json: Json | undefined, where: string): DataType {
  if (typeof json === 'string') return primitive(json, where);
  if (typeof json !== 'object' || json === null || Array.isArray(json) || !('type' in json)) {
    throw corrupt(where, `has a type that is none: ${formatExactJson(json)}`);
  }
  switch (json.type) {
    case 'struct':
      if (!Array.isArray(json['fields'])) throw corrupt(where, 'has a struct without fields');
      return { type: 'struct', fields: (json['fields'] as readonly Json[]).map((field) => readField(field, where)) };
    case 'array':
      return {
        type: 'array',
        elementType: readType(json['elementType'], where),
        containsNull: json['containsNull'] !== false,
      };
    case 'map':
      return {
        type: 'map',
        keyType: readType(json['keyType'], where),
        valueType: readType(json['valueType'], where),
        valueContainsNull: json['valueContainsNull'] !== false,
      };
    default:
      throw unknownType(formatExactJson(json.type), where);
  }
}

function readField(json: Json, where: string): StructField {
  if (typeof json !== 'object' || json === null || !('name' in json) || typeof json.name !== 'string') {
    throw corrupt(where, `has a field without a name: ${formatExactJson(json)}`);
  }
  const { name, type, nullable, metadata } = json as Readonly<Record<string, Json>>;
  return {
    name: name as string,
    type: readType(type, `the column '${name as string}' in ${where}`),
    nullable: nullable !== false,
    metadata: (metadata ?? {}) as FieldMetadata,
  };
}

function primitive(name: string, where: string): PrimitiveType {
  if (name === 'null') return 'void'; // What Spark 2 called it.
  if ((primitiveNames as readonly string[]).includes(name)) return name as PrimitiveName;
  if (name === 'decimal') return 'decimal(10,0)';
  const decimal = decimalOf(name as PrimitiveType);
  if (decimal === undefined) throw unknownType(name, where);
  const { precision, scale } = decimal;
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) throw unknownType(name, where);
  return `decimal(${precision},${scale})`;
}

/** @throws MillraceError `TABLE_CORRUPT` for names that are the same but for their case */
function checkNames({ fields }: StructType, where: string): void {
  const seen = new Set<string>();
  for (const { name, type } of fields) {
    const folded = name.toLowerCase();
    if (seen.has(folded)) throw corrupt(where, `has two columns '${name}' (names differ by more than their case)`);
    seen.add(folded);
    const inner = typeof type === 'object' && type.type === 'array' ? type.elementType : type;
    if (isStruct(inner)) checkNames(inner, `'${name}' in ${where}`);
  }
}

function isColumnDefinition(column: DataType | ColumnDefinition): column is ColumnDefinition {
  return typeof column === 'object' && !['struct', 'array', 'map'].includes(column.type as string);
}

function unknownType(name: string, where: string): MillraceError {
  return new MillraceError('TABLE_UNSUPPORTED', `There is a type in ${where} that Millrace does not know: ${name}`, {
    type: name,
  });
}

function corrupt(where: string, what: string, cause?: unknown): MillraceError {
  return new MillraceError('TABLE_CORRUPT', `${where[0]!.toUpperCase()}${where.slice(1)} ${what}`, {}, { cause });
}
