import { MillraceError } from '../../../schemas/errors.ts';
import type { Action } from './action.ts';
import { readAction } from './action-reader.ts';
import { formatExactJson, type Json, parseExactJson } from './exact-json.ts';

/** An entry of the log: one action a line, in no order that means anything, but `commitInfo` first. */
export function formatCommit(actions: readonly Action[]): Uint8Array {
  return new TextEncoder().encode(actions.map((action) => `${formatExactJson(action as unknown as Json)}\n`).join(''));
}

/** @throws MillraceError `TABLE_CORRUPT`, naming file and line */
export function parseCommit(bytes: Uint8Array, path: string): Action[] {
  return parseLines(bytes, path, readAction);
}

/** Every line of an NDJSON file as something; lines that are nothing are left out. */
export function parseLines<T>(
  bytes: Uint8Array,
  path: string,
  read: (json: Json, where: string) => T | undefined,
): T[] {
  const found: T[] = [];
  let number = 0;
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    number++;
    if (line.trim() === '') continue;
    const where = `line ${number} of ${path}`;
    const value = read(parsed(line, where), where);
    if (value !== undefined) found.push(value);
  }
  return found;
}

function parsed(line: string, where: string): Json {
  try {
    return parseExactJson(line);
  } catch (cause) {
    throw new MillraceError(
      'TABLE_CORRUPT',
      `The ${where} is not JSON: ${(cause as Error).message}`,
      { where },
      { cause },
    );
  }
}
