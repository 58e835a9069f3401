import { inspect } from 'node:util';
import { type ErrorCode, isMillraceError, type MillraceError } from '../schemas/index.ts';
import { exitCodes } from './exit-codes.ts';

/** What an error looks like on the command line, and how the process ends with it. */
export interface ErrorReport {
  readonly text: string;
  readonly exitCode: number;
}

/**
 * An error of the family is one sentence: `CODE: what was wanted and found; what to do.` Anything else, and `INTERNAL`, is
 * a defect, reported with its stack.
 */
export function errorReport(error: unknown): ErrorReport {
  if (isMillraceError(error) && error.code !== 'INTERNAL') return { text: sentence(error), exitCode: exitCodes.error };
  const stack = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  return { text: `This is a defect of Millrace, please report it:\n${stack}`, exitCode: exitCodes.defect };
}

function sentence({ code, message, facts }: MillraceError): string {
  const said = oneLine(message).replace(/[.\s]+$/, '');
  const what = advice[code]?.(facts);
  return `${code}: ${said}${what === undefined ? '' : `; ${what}`}.`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

/** What to do, where the message does not say it in the words of the command line. */
const advice: { readonly [code in ErrorCode]?: (facts: MillraceError['facts']) => string } = {
  DATA_FOLDER_IN_USE: () => '--data-dir names the folder',
  DATA_FOLDER_NEWER: () => '--data-dir names the folder',
  DATA_FOLDER_UNUSABLE: () => '--data-dir names the folder',
  DATA_FOLDER_CORRUPT: () => 'restore the folder from a copy, or load the sources into a new one with --data-dir',
  TOPOLOGY_INCOMPATIBLE: () => '--data-dir names the folder',
  SOURCE_UNREADABLE: () => 'check the path, the rights and --format',
  STORE_NOT_FOUND: () => "'millrace stores' lists them",
};
