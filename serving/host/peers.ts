import { isMillraceError, MillraceError, type ErrorCode } from '../../schemas/index.ts';
import type { AnswerHere, Query } from './store-reader.ts';

/** Where an instance answers other instances for its own partitions (serving/api/peer-routes.ts). */
export const peerPath = '/internal/v1/ask';
/** Where it answers when what it had committed to the log is in its own state too. */
export const settledPath = '/internal/v1/settled';

/**
 * How instances write queries and answers to each other: JSON, bytes as `{"$bytes": base64}` and buffers as `{"$buffer": base64}`.
 * All instances of a group run the same release.
 */
export function encodePeer(value: unknown): string {
  return JSON.stringify(value, (_key, of: unknown) => {
    if (of instanceof ArrayBuffer) return { $buffer: Buffer.from(of).toString('base64') };
    if (of instanceof Uint8Array) return { $bytes: Buffer.from(of).toString('base64') };
    return of;
  });
}

/** A Buffer's own toJSON comes before any replacer, so queries and answers have plain Uint8Arrays. */
export function decodePeer(text: string): unknown {
  return JSON.parse(text, (_key, of: unknown) => {
    if (typeof of !== 'object' || of === null) return of;
    const { $bytes, $buffer } = of as { readonly $bytes?: string; readonly $buffer?: string };
    if ($bytes !== undefined) return new Uint8Array(Buffer.from($bytes, 'base64'));
    if ($buffer !== undefined) return new Uint8Array(Buffer.from($buffer, 'base64')).buffer;
    return of;
  });
}

/**
 * Asks the instance at `url`.
 * @throws MillraceError `REBALANCING` where it does not answer in time: it is gone, and its tasks are on their way to another;
 *   else what it says
 */
export async function askPeer(url: string, question: PeerQuestion): Promise<AnswerHere> {
  return decodePeer(await post(url, peerPath, encodePeer(question))) as AnswerHere;
}

export interface PeerQuestion {
  readonly query: Query;
  /** Standbys may answer. */
  readonly stale: boolean;
  /** The consumer group whose tasks are asked: of one generation, in one of its phases. */
  readonly group: string;
}

/** Resolves when what it had committed to the log is in its own state too: the group whose tasks' state it shows. @throws as `askPeer` */
export async function peerGroup(url: string): Promise<string> {
  return (JSON.parse(await post(url, settledPath, '{}')) as { readonly group: string }).group;
}

async function post(url: string, path: string, body: string): Promise<string> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(peerDeadlineMs),
  }).catch((cause: unknown) => {
    throw unreachable(url, cause);
  });
  const text = await answer.text().catch((cause: unknown) => {
    throw unreachable(url, cause);
  });
  if (answer.ok) return text;
  throw told(url, text);
}

/** Less than what an instance's own clients wait for. */
const peerDeadlineMs = 2000;

function unreachable(url: string, cause: unknown): MillraceError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError('REBALANCING', `The instance at ${url} does not answer: ${why}.`, { url }, { cause });
}

function told(url: string, body: string): MillraceError {
  try {
    const { error } = JSON.parse(body) as { readonly error: { readonly code: ErrorCode; readonly message: string } };
    return new MillraceError(error.code, error.message, { url });
  } catch (cause) {
    if (isMillraceError(cause)) throw cause;
    return new MillraceError(
      'INTERNAL',
      `The instance at ${url} answered '${body.slice(0, 200)}'.`,
      { url },
      { cause },
    );
  }
}
