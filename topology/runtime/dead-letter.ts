import type { MillraceError } from '../../schemas/errors.ts';
import type { LogHeader } from '../../log/log.ts';
import type { Origin } from './stream-record.ts';

/**
 * A dead letter (KIP-1034): the record as it was read, bytes untouched, with the reason in its headers. The names of the
 * headers are Kafka Streams'; `millrace.errors.code` adds our stable code.
 */
export function deadLetter(origin: Origin, error: MillraceError) {
  const cause = error.cause instanceof Error ? error.cause : error;
  const headers: LogHeader[] = [
    ...origin.headers,
    header('__streams.errors.exception', cause.name),
    header('__streams.errors.message', cause.message),
    header('__streams.errors.stacktrace', cause.stack ?? ''),
    header('__streams.errors.topic', origin.topic),
    header('__streams.errors.partition', String(origin.partition)),
    header('__streams.errors.offset', String(origin.offset)),
    header('millrace.errors.code', error.code),
  ];
  return { key: origin.rawKey(), value: origin.rawValue(), timestamp: origin.timestamp, headers };
}

const encoder = new TextEncoder();

function header(key: string, value: string): LogHeader {
  return { key, value: encoder.encode(value) };
}
