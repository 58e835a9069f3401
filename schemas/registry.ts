/**
 * The schema registry port: what a Confluent-compatible registry offers, and no more.
 *
 * Subjects follow TopicNameStrategy: `<topic>-key`, `<topic>-value`. Ids are stable and global: the same schema text
 * registered under two subjects has one id.
 */
export interface SchemaRegistry {
  /**
   * Registers a version, or finds the one that is equal to it.
   * @throws MillraceError `SCHEMA_INCOMPATIBLE` naming subject, rule and the field that breaks it.
   */
  register(subject: string, schema: AvroSchema): Promise<RegisteredSchema>;
  byId(id: number): Promise<RegisteredSchema>;
  latest(subject: string): Promise<RegisteredSchema | undefined>;
  versions(subject: string): Promise<readonly RegisteredSchema[]>;
  subjects(): Promise<readonly string[]>;
  compatibility(subject: string): Promise<Compatibility>;
  setCompatibility(subject: string, compatibility: Compatibility): Promise<void>;
}

/** Avro schema as JSON: an object, a primitive's name, or a union. */
export type AvroSchema = string | { readonly [key: string]: unknown } | readonly AvroSchema[];

export interface RegisteredSchema {
  readonly id: number;
  readonly subject: string;
  readonly version: number;
  readonly schema: AvroSchema;
}

/** Confluent's rules; BACKWARD is the default: the new schema reads what the last one wrote. */
export type Compatibility =
  | 'NONE'
  | 'BACKWARD'
  | 'BACKWARD_TRANSITIVE'
  | 'FORWARD'
  | 'FORWARD_TRANSITIVE'
  | 'FULL'
  | 'FULL_TRANSITIVE';
