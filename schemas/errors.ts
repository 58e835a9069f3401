/**
 * The one error family. Every error that Millrace raises on purpose has a stable code from this list, the facts as
 * fields and, where there is one, the cause. `docs/errors.md` says for every code what to do about it.
 */
export const errorCodes = [
  'SERIALIZATION_FAILED',
  'DESERIALIZATION_FAILED',
  'SCHEMA_INVALID',
  'SCHEMA_INCOMPATIBLE',
  'SCHEMA_NOT_FOUND',
  'TOPIC_NOT_FOUND',
  'TOPIC_MISMATCH',
  'PARTITION_NOT_FOUND',
  'OFFSET_OUT_OF_RANGE',
  'OUT_OF_ORDER_SEQUENCE',
  'PRODUCER_FENCED',
  'MEMBER_FENCED',
  'RECORD_TOO_LARGE',
  'LOG_CLOSED',
  'STORE_NOT_FOUND',
  'STORE_CLOSED',
  'KEY_NOT_LOADED',
  'DATA_FOLDER_IN_USE',
  'DATA_FOLDER_NEWER',
  'DATA_FOLDER_CORRUPT',
  'NATIVE_LIBRARY_MISSING',
  'NODE_UNSUPPORTED',
  'PORT_IN_USE',
  'TOPOLOGY_INVALID',
  'TOPOLOGY_INCOMPATIBLE',
  'PROCESSING_FAILED',
  'PRODUCTION_FAILED',
  'TASK_STOPPED',
  'INVALID_ARGUMENT',
  'INVALID_EVENT',
  'SOURCE_UNREADABLE',
  'NOT_FOUND',
  'OVERLOADED',
  'STORAGE_FULL',
  'BACKUP_INVALID',
  'STORAGE_FAILED',
  'INTERNAL',
  'DATA_FOLDER_UNUSABLE',
  'METHOD_NOT_ALLOWED',
  'BODY_TOO_LARGE',
  'MEDIA_TYPE_UNSUPPORTED',
  'KAFKA_UNREACHABLE',
  'KAFKA_AUTHENTICATION_FAILED',
  'KAFKA_FAILED',
  'COMMIT_OUTCOME_UNKNOWN',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_FAILED',
  'REBALANCING',
  'NOT_ON_KAFKA',
  'REPLAY_RUNNING',
  'GENERATION_IN_USE',
  'SOURCE_TRIMMED',
  'TABLE_NOT_FOUND',
  'TABLE_EXISTS',
  'TABLE_CORRUPT',
  'TABLE_UNSUPPORTED',
  'TABLE_VERSION_NOT_FOUND',
  'TABLE_CONFLICT',
  'ROW_INVALID',
  'STORAGE_UNSUITABLE',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export type ErrorFacts = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;

export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  /** What was wanted, what was found, where: topic, partition, offset, store, subject … */
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.facts = facts;
  }
}

/** True for a MillraceError, of this code when one is given. */
export function isMillraceError(error: unknown, code?: ErrorCode): error is MillraceError {
  return error instanceof MillraceError && (code === undefined || error.code === code);
}
