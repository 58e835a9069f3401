import { isMillraceError, MillraceError, type ErrorCode } from '../../schemas/errors.ts';
import { deadLetter } from './dead-letter.ts';
import type { ExceptionHandlers, FailureContext, HandlerResponse } from './handlers.ts';
import type { Metrics } from './metrics.ts';
import type { Outbox } from './outbox.ts';
import type { Origin } from './stream-record.ts';

/**
 * What a task does when a record fails: asks the handler of that kind, then counts and skips the record, sends it to the
 * dead-letter topic, or throws, which stops the task before anything of the unit is written.
 */
export class Failures {
  readonly #options: FailuresOptions;

  constructor(options: FailuresOptions) {
    this.#options = options;
  }

  deserialization(node: string, origin: Origin, error: MillraceError): void {
    this.#decide('deserialization', node, origin, error);
  }

  processing(node: string, origin: Origin | undefined, error: unknown): void {
    this.#decide('processing', node, origin, wrapped('PROCESSING_FAILED', node, origin, error));
  }

  production(node: string, origin: Origin | undefined, error: unknown): void {
    this.#decide('production', node, origin, wrapped('PRODUCTION_FAILED', node, origin, error));
  }

  #decide(kind: keyof ExceptionHandlers, node: string, origin: Origin | undefined, error: MillraceError): void {
    const { taskId, handlers, metrics, outbox, deadLetterTopic } = this.#options;
    const source = origin && { topic: origin.topic, partition: origin.partition, offset: origin.offset };
    const context: FailureContext = { taskId, node, source };
    const response = this.#ask(handlers[kind], context, error);
    if (response === 'fail') throw new RecordFailure(error);
    metrics.counter('skipped-records', { node, kind, code: codeOf(error) }).value += 1;
    if (response !== 'dead-letter' || origin === undefined) return;
    if (deadLetterTopic === undefined) {
      const message = `The ${kind} handler of '${node}' answered 'dead-letter', but no dead-letter topic is set.`;
      throw new RecordFailure(new MillraceError('INVALID_ARGUMENT', message, { node }, { cause: error }));
    }
    outbox.sendBytes(deadLetterTopic, 0, deadLetter(origin, error));
    metrics.counter('dead-letter-records', { topic: deadLetterTopic }).value += 1;
  }

  #ask(
    handler: ExceptionHandlers[keyof ExceptionHandlers],
    context: FailureContext,
    error: MillraceError,
  ): HandlerResponse {
    try {
      return handler(context, error);
    } catch (cause) {
      const message = `The exception handler itself failed at '${context.node}': ${String(cause)}`;
      throw new RecordFailure(new MillraceError('PROCESSING_FAILED', message, { node: context.node }, { cause }));
    }
  }
}

/** Carries the error that stops the task past the handlers above it. */
export class RecordFailure extends Error {
  readonly error: MillraceError;

  constructor(error: MillraceError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}

export interface FailuresOptions {
  readonly taskId: string;
  readonly handlers: ExceptionHandlers;
  readonly metrics: Metrics;
  readonly outbox: Outbox;
  readonly deadLetterTopic: string | undefined;
}

function codeOf(error: MillraceError): string {
  return isMillraceError(error.cause) ? error.cause.code : error.code;
}

function wrapped(code: ErrorCode, node: string, origin: Origin | undefined, error: unknown): MillraceError {
  if (error instanceof RecordFailure) throw error;
  const reason = error instanceof Error ? error.message : String(error);
  const at = origin === undefined ? '' : ` at ${origin.topic}-${origin.partition}@${origin.offset}`;
  const facts = { node, topic: origin?.topic, partition: origin?.partition, offset: origin?.offset };
  return new MillraceError(code, `'${node}'${at}: ${reason}`, facts, { cause: error });
}
