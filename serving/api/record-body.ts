import { isUtf8 } from 'node:buffer';
import { MillraceError } from '../../schemas/index.ts';

/** A record as it came: parsed, or why it could not be. */
export interface Candidate {
  /** Place in the array, or of the line, from 0. Blank lines count as places. */
  readonly index: number;
  readonly value: unknown;
  readonly unreadable?: { readonly rule: string; readonly reason: string };
  /** As it came, for the dead letters. */
  readonly raw: () => Uint8Array;
}

/** A JSON body: one record, or an array of them. What is no JSON is refused as a whole, for nothing in it can be told apart. */
export function jsonCandidates(body: Buffer): Candidate[] {
  const value = parseJson(body);
  const records: readonly unknown[] = Array.isArray(value) ? value : [value];
  return records.map((record, index) => ({ index, value: record, raw: () => Buffer.from(JSON.stringify(record)) }));
}

export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw new MillraceError('INVALID_ARGUMENT', 'The body wants JSON, found nothing.');
  if (!isUtf8(body)) throw new MillraceError('INVALID_ARGUMENT', 'The body wants JSON in UTF-8, found other bytes.');
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch (cause) {
    const message = `The body is not JSON: ${(cause as Error).message}`;
    throw new MillraceError('INVALID_ARGUMENT', message, {}, { cause });
  }
}

/** Newline-delimited JSON: a bad line is one bad record, the lines around it stand. */
export function ndjsonCandidates(body: Buffer): Candidate[] {
  const candidates: Candidate[] = [];
  for (let start = 0, index = 0; start < body.length; index += 1) {
    const newline = body.indexOf(0x0a, start);
    const end = newline === -1 ? body.length : newline;
    const line = body.subarray(start, end);
    start = end + 1;
    if (!isBlank(line)) candidates.push(lineCandidate(index, line));
  }
  return candidates;
}

function lineCandidate(index: number, line: Buffer): Candidate {
  const raw = () => line;
  if (!isUtf8(line)) {
    return {
      index,
      value: undefined,
      raw,
      unreadable: { rule: 'encoding', reason: 'the line wants UTF-8, found other bytes' },
    };
  }
  try {
    return { index, value: JSON.parse(line.toString()) as unknown, raw };
  } catch (cause) {
    const reason = `the line is not JSON: ${(cause as Error).message}`;
    return { index, value: undefined, raw, unreadable: { rule: 'torn', reason } };
  }
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
