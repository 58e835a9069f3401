import { MillraceError } from '../../schemas/index.ts';

/**
 * An answer of the host thread, or `OVERLOADED` when it takes too long. The work itself is not called back: an event may
 * be accepted after its producer was told to try again, which is why retries carry an id.
 */
export async function withinDeadline<T>(answer: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tookTooLong(what, deadlineMs)), deadlineMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function tookTooLong(what: string, deadlineMs: number): MillraceError {
  const ms = Math.round(deadlineMs);
  return new MillraceError('OVERLOADED', `${what} took longer than ${ms} ms; try again later.`, { deadlineMs: ms });
}
