import { isMillraceError, MillraceError, type ErrorFacts } from '../../schemas/errors.ts';

/** Names of the protocol's errors (kafkajs spells a few in its own way), and `CONNECTION` for what never came to an answer. */
export function errorType(error: unknown): string {
  const { type, name } = (error ?? {}) as { type?: unknown; name?: unknown };
  if (typeof type === 'string') return type;
  return typeof name === 'string' && connectionErrors.has(name) ? 'CONNECTION' : 'UNKNOWN';
}

const connectionErrors = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSLockTimeout',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSGroupCoordinatorNotFound',
]);

/** Asked again, maybe of another broker, the answer can be another one. */
const transientTypes = new Set([
  'CONNECTION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'REPLICA_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'NOT_CONTROLLER',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'CONCURRENT_TRANSACTIONS',
]);

export function isTransient(error: unknown): boolean {
  return transientTypes.has(errorType(error));
}

/** The producer's id was given to another, or has expired. */
export function isFenced(error: unknown): boolean {
  return fencedTypes.has(errorType(error));
}

const fencedTypes = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTION_COORDINATOR_FENCED',
  'PRODUCER_FENCED',
]);

/** In the words of the port; what it has no word for is `KAFKA_FAILED`. */
export function kafkaError(error: unknown, doing: string, facts: ErrorFacts): MillraceError {
  if (isMillraceError(error)) return error;
  const cause = { cause: error };
  const message = error instanceof Error ? error.message : String(error);
  if (errorType(error) === 'CONNECTION') {
    return new MillraceError('KAFKA_UNREACHABLE', `${doing}: no broker answered in time (${message})`, facts, cause);
  }
  if (errorType(error) === 'OFFSET_OUT_OF_RANGE') {
    return new MillraceError('OFFSET_OUT_OF_RANGE', `${doing}: ${message}`, facts, cause);
  }
  return new MillraceError('KAFKA_FAILED', `${doing}: ${message} (${errorType(error)})`, facts, cause);
}
