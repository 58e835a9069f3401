import avro from 'avsc';
import { MillraceError } from './errors.ts';
import type { AvroSchema } from './registry.ts';

/** A parsed Avro schema: reads and writes values. Longs are JavaScript numbers; one that is not safe is an error. */
export type AvroType = avro.Type;

/**
 * Parses a schema.
 * @throws MillraceError `SCHEMA_INVALID` with what is wrong; `where` names the subject or file in the message.
 */
export function parseAvro(schema: AvroSchema, where: string): AvroType {
  try {
    return avro.Type.forSchema(schema as avro.schema.AvroSchema, { omitRecordMethods: true });
  } catch (cause) {
    throw new MillraceError(
      'SCHEMA_INVALID',
      `Schema for '${where}' is not valid Avro: ${(cause as Error).message}`,
      { subject: where },
      { cause },
    );
  }
}

/** The schema's text with sorted keys: two schemas are the same schema when this text is equal. */
export function canonicalText(schema: AvroSchema): string {
  return JSON.stringify(schema, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
