import type { MillraceError } from '../../schemas/errors.ts';
import type { RecordMetadata } from '../processor.ts';

/** What becomes of a record that failed: `fail` stops the runtime, the others skip the record at that node and count it. */
export type HandlerResponse = 'fail' | 'continue' | 'dead-letter';

export interface FailureContext {
  readonly taskId: string;
  readonly node: string;
  readonly source: RecordMetadata | undefined;
}

/** The three handlers of Kafka Streams (KIP-161, KIP-210, KIP-1033), with dead-letter topics (KIP-1034). */
export interface ExceptionHandlers {
  /** Bytes that the source's serde cannot read. Default: fail. */
  readonly deserialization: (context: FailureContext, error: MillraceError) => HandlerResponse;
  /** An error thrown by an operator's function or a processor. Default: fail. */
  readonly processing: (context: FailureContext, error: MillraceError) => HandlerResponse;
  /** A record that a sink cannot serialize or the log does not take. Default: fail. */
  readonly production: (context: FailureContext, error: MillraceError) => HandlerResponse;
}

export const logAndFail: ExceptionHandlers = {
  deserialization: () => 'fail',
  processing: () => 'fail',
  production: () => 'fail',
};
