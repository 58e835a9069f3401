import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { isMillraceError, MillraceError, type ErrorCode, type ErrorFacts } from '../../schemas/index.ts';

/** Every error leaves in this shape; `code` is one of docs/errors.md. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly details?: ErrorFacts };
}

export function errorBody(error: MillraceError): ErrorBody {
  const { code, message, facts } = error;
  return { error: Object.keys(facts).length === 0 ? { code, message } : { code, message, details: facts } };
}

const statusOf: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  INVALID_EVENT: 400,
  NOT_FOUND: 404,
  STORE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REPLAY_RUNNING: 409,
  GENERATION_IN_USE: 409,
  SOURCE_TRIMMED: 409,
  RECORD_TOO_LARGE: 413,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  OVERLOADED: 503,
  STORAGE_FULL: 503,
  STORAGE_FAILED: 503,
  REBALANCING: 503,
  KAFKA_UNREACHABLE: 503,
  NOT_ON_KAFKA: 501,
};

/** What fastify itself refuses, in our words. */
export function millraceError(error: unknown, request: FastifyRequest): MillraceError {
  if (isMillraceError(error)) return error;
  const { code, message, statusCode = 500 } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const found = request.headers['content-length'];
    const limit = request.routeOptions.bodyLimit ?? 0;
    const shown = found === undefined ? 'more' : `${found}`;
    return new MillraceError(
      'BODY_TOO_LARGE',
      `A body wants at most ${limit} bytes, found ${shown}: send it in parts.`,
      {
        limit,
      },
    );
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const found = request.headers['content-type'] ?? 'none';
    return new MillraceError(
      'MEDIA_TYPE_UNSUPPORTED',
      `The content type wants to be application/json${/^\/v1\/(events|products)(\?|$)/.test(request.url) ? ' or application/x-ndjson' : ''}, found ${found}.`,
    );
  }
  if (statusCode >= 400 && statusCode < 500)
    return new MillraceError('INVALID_ARGUMENT', message ?? 'The request is not valid.');
  return new MillraceError('INTERNAL', 'The request failed on an error of the server; its log holds the cause.');
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = millraceError(error, request);
  const status = statusOf[known.code] ?? 500;
  if (status === 500) request.log.error(error);
  if (status === 503) void reply.header('retry-after', '1');
  return reply.code(status).send(errorBody(known));
}

/** What Node cannot read as a request at all: torn, or with a head beyond its bound. */
export function refuseConnection(error: ConnectionError, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy(error);
    return;
  }
  const [status, text] =
    error.code === 'HPE_HEADER_OVERFLOW' ? ['431', 'Request Header Fields Too Large'] : ['400', 'Bad Request'];
  const refusal = new MillraceError('INVALID_ARGUMENT', `This is not a request that HTTP allows: ${error.message}.`);
  const body = JSON.stringify(errorBody(refusal));
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

export function productNotFound(productId: string): MillraceError {
  return new MillraceError('NOT_FOUND', `No event has named a product '${productId}'.`, { productId });
}
