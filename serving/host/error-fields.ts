import { errorCodes, isMillraceError, MillraceError, type ErrorCode } from '../../schemas/errors.ts';
import type { ErrorFields } from './messages.ts';

/** An error as plain data, for another thread. */
export function errorFields(error: unknown): ErrorFields {
  if (!isMillraceError(error)) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { code: 'INTERNAL', message, facts: {} };
  }
  const facts: { [fact: string]: string | number | boolean | null } = {};
  for (const [name, value] of Object.entries(error.facts)) {
    if (value !== undefined) facts[name] = typeof value === 'bigint' ? value.toString() : value;
  }
  return { code: error.code, message: error.message, facts };
}

/** The error again, with its code. */
export function errorFrom({ code, message, facts }: ErrorFields): MillraceError {
  const known = (errorCodes as readonly string[]).includes(code);
  return new MillraceError(known ? (code as ErrorCode) : 'INTERNAL', message, facts);
}
