/**
 * The schema registry port: what a Confluent-compatible registry offers, and no more.
 *
 * Subjects follow TopicNameStrategy: `<topic>-key`, `<topic>-value`. Ids are stable and global: the same schema
 * registered under two subjects has one id. Schemas are the same when they differ in the order of their keys only.
 *
 * `conformance/registry-conformance.ts` holds every registry to it.
 */
export interface SchemaRegistry {
  /**
   * Registers a version, or finds the one that is equal to it. Asked again, it gives the same answer.
   * @throws MillraceError `SCHEMA_INVALID`; `SCHEMA_INCOMPATIBLE` naming the subject and what breaks its rule.
   */
  register(subject: string, schema: AvroSchema): Promise<RegisteredSchema>;
  /**
   * The schema that records with this id were written with.
   * @throws MillraceError `SCHEMA_NOT_FOUND`; `SCHEMA_INVALID` for one that is not Avro.
   */
  byId(id: number): Promise<IdentifiedSchema>;
  latest(subject: string): Promise<RegisteredSchema | undefined>;
  /** Ascending; empty for a subject that is not there. */
  versions(subject: string): Promise<readonly RegisteredSchema[]>;
  subjects(): Promise<readonly string[]>;
  /** The rule of a subject, or the registry's own where the subject has none. */
  compatibility(subject: string): Promise<Compatibility>;
  /** Holds for versions that are registered from now on. */
  setCompatibility(subject: string, compatibility: Compatibility): Promise<void>;
}

/** Avro schema as JSON: an object, a primitive's name, or a union. */
export type AvroSchema = string | { readonly [key: string]: unknown } | readonly AvroSchema[];

/** An id says nothing of subjects: one schema may stand under several. */
export interface IdentifiedSchema {
  readonly id: number;
  readonly schema: AvroSchema;
}

export interface RegisteredSchema extends IdentifiedSchema {
  readonly subject: string;
  readonly version: number;
}

/** Confluent's rules; BACKWARD is the default: the new schema reads what the last one wrote. */
export type Compatibility = (typeof compatibilities)[number];

export const compatibilities = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
