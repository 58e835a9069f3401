import { isWellFormed } from './string-serde.ts';

/** Why a value is not what a schema wants: the first field that breaks a rule, and the rule with what was found. */
export interface InvalidField {
  readonly field: string;
  readonly reason: string;
}

export function isInvalidField<T extends object>(result: T | InvalidField): result is InvalidField {
  return 'reason' in result;
}

/** Text that survives UTF-8, with a length in UTF-16 units within the bounds. */
export function isText(value: unknown, min: number, max: number): value is string {
  return typeof value === 'string' && value.length >= min && value.length <= max && isWellFormed(value);
}

export function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

export function isCurrency(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z]{3}$/.test(value);
}

export function wantsText(field: string, rule: string, found: unknown): InvalidField {
  if (typeof found !== 'string') return { field, reason: `wants ${rule}, found ${shown(found)}` };
  if (!isWellFormed(found)) return { field, reason: `wants ${rule}, found a lone surrogate` };
  return { field, reason: `wants ${rule}, found ${found.length}` };
}

/** A value as an error message names it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(clip(value));
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  return value === undefined ? 'nothing' : `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`;
}

export function clip(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
