import { MillraceError } from '../../schemas/index.ts';

/** [fromMs, toMs); null: without that bound. */
export interface InstantRange {
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/** From days (`2010-12-30`: its first instant) or times (`2010-12-30T08:00Z`), both UTC. */
export function instantRange(from: string | undefined, to: string | undefined): InstantRange {
  const range = { fromMs: instantOf('from', from), toMs: instantOf('to', to) };
  if (range.fromMs !== null && range.toMs !== null && range.toMs < range.fromMs) {
    throw new MillraceError('INVALID_ARGUMENT', `Parameter 'to' wants a time from ${from} on, found ${to}.`, {
      field: 'to',
    });
  }
  return range;
}

function instantOf(field: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = pattern.test(text) ? Date.parse(text.length === dayLength ? `${text}T00:00Z` : text) : Number.NaN;
  // A day that its month does not have is read as one of the next month.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text.slice(0, dayLength))) {
    const message = `Parameter '${field}' wants a day as YYYY-MM-DD or a time as YYYY-MM-DDTHH:MM[:SS[.sss]]Z, found '${text}'.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { field });
  }
  return ms;
}

const pattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/;
const dayLength = 'YYYY-MM-DD'.length;
