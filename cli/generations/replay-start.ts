import { MillraceError } from '../../schemas/index.ts';
import type { ReplayStart } from '../../serving/host/index.ts';

/**
 * What `--from` says: `earliest`; an ISO 8601 day, or time with its zone; an offset for all partitions, or one for each.
 *
 *     replayStart('2010-12-01')  // { kind: 'time', timeMs: 1291161600000 }
 *     replayStart('4000,3900')   // { kind: 'offsets', offsets: [4000, 3900] }
 */
export function replayStart(text: string): ReplayStart {
  if (text === 'earliest') return { kind: 'earliest' };
  if (/^\d+(,\d+)*$/.test(text)) return { kind: 'offsets', offsets: text.split(',').map(Number) };
  const timeMs = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (timeMs >= 0) return { kind: 'time', timeMs };
  const wanted = 'earliest, a day or time as 2010-12-01 or 2010-12-01T06:00Z, or offsets as 4000 or 4000,3900';
  throw new MillraceError('INVALID_ARGUMENT', `--from wants ${wanted}, found '${text}'`, { found: text });
}

/** What `--set name=value` says; whether there is such a parameter, the server knows. */
export function parameterOf(text: string): readonly [string, number] {
  const [, name, value] = /^([A-Za-z]+)=(\d+)$/.exec(text) ?? [];
  if (name !== undefined) return [name, Number(value)];
  throw new MillraceError('INVALID_ARGUMENT', `--set wants name=number, as pairPositions=5, found '${text}'`, {
    found: text,
  });
}
