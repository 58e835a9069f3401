import { MillraceError } from '../schemas/index.ts';

/**
 * One thing that can be set, in three ways: by a flag, by a variable of the environment, by a key of the configuration file.
 * The flag is `--data-dir`, the variable `MILLRACE_DATA_DIR`, the key `dataDir`: all three follow from the key.
 */
export interface Setting<Value> {
  readonly standard: Value;
  /** For the error and the help: `a whole number from 0 to 65535`. */
  readonly wanted: string;
  readonly help: string;
  /** What stands for the value in the help; a switch takes none. */
  readonly placeholder?: string;
  /** Undefined when the text, or the JSON value, is not what is wanted. */
  fromText(text: string): Value | undefined;
  fromJson(value: unknown): Value | undefined;
}

export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function variableOf(key: string): string {
  return `MILLRACE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

export function textSetting(
  of: Pick<Setting<string>, 'standard' | 'wanted' | 'help' | 'placeholder'>,
): Setting<string> {
  const fromText = (text: string) => (text.trim() === '' ? undefined : text);
  return { ...of, fromText, fromJson: (value) => (typeof value === 'string' ? fromText(value) : undefined) };
}

export function wholeNumberSetting(of: {
  readonly standard: number;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}): Setting<number> {
  const { standard, min, max, help } = of;
  const fromJson = (value: unknown) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined;
  return {
    ...{ standard, help, placeholder: 'number' },
    wanted: `a whole number from ${min} to ${max}`,
    fromText: (text) => (/^\d+$/.test(text.trim()) ? fromJson(Number(text)) : undefined),
    fromJson,
  };
}

export function switchSetting(of: Pick<Setting<boolean>, 'standard' | 'help'>): Setting<boolean> {
  return {
    ...of,
    wanted: 'true or false',
    fromText: (text) => (/^(true|1)$/i.test(text) ? true : /^(false|0)$/i.test(text) ? false : undefined),
    fromJson: (value) => (typeof value === 'boolean' ? value : undefined),
  };
}

/** One of a few words. */
export function choiceSetting<Word extends string>(of: {
  readonly standard: Word;
  readonly words: readonly Word[];
  readonly help: string;
}): Setting<Word> {
  const { standard, words, help } = of;
  const fromText = (text: string) => words.find((word) => word === text.trim());
  return {
    ...{ standard, help, placeholder: 'word', wanted: words.join(' or '), fromText },
    fromJson: (value) => (typeof value === 'string' ? fromText(value) : undefined),
  };
}

/** The one sentence about a value that is not allowed: which key, where, wanted, found. */
export function notAllowed(where: string, wanted: string, found: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `${where} wants ${wanted}, found ${found}`, { where, wanted, found });
}
