import { MillraceError } from '../../../schemas/errors.ts';

/**
 * JSON whose numbers are exact. The log holds 64-bit integers (statistics, `txn.version`) and decimals of 38 digits as JSON
 * numbers; `JSON.parse` would make another number of what has more than 15 digits, and a file would be skipped that has
 * the row.
 *
 * A number is a `number` where that is exact, else a `bigint` for integers and a `JsonDecimal` for the rest. Texts without
 * a run of 16 digits, which are nearly all, go through `JSON.parse`.
 */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonDecimal
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A number that is no integer and has more digits than a double keeps, as it was written. */
export class JsonDecimal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** @throws SyntaxError where the text is not JSON */
export function parseExactJson(text: string): Json {
  return maybeLong.test(text) ? new Parser(text).parse() : (JSON.parse(text) as Json);
}

export function formatExactJson(value: Json | undefined): string {
  if (value instanceof JsonDecimal) return value.text;
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(formatExactJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, each]) => each !== undefined);
    return `{${fields.map(([key, each]) => `${JSON.stringify(key)}:${formatExactJson(each)}`).join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new MillraceError('INTERNAL', `JSON has no number ${value}`, { value });
  }
  return JSON.stringify(value ?? null);
}

/** A run of 16 digits with or without a point in it, or an exponent, which may hide digits behind zeros. */
const maybeLong = /\d[\d.]{15}/;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Json {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(): Json {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): Json {
    const object: Record<string, Json> = {};
    this.#at++;
    if (this.#next('}')) return object;
    do {
      this.#space();
      const key = this.#string();
      if (!this.#next(':')) throw this.#unexpected();
      const value = this.#value();
      if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true });
      else object[key] = value;
    } while (this.#next(','));
    if (!this.#next('}')) throw this.#unexpected();
    return object;
  }

  #array(): Json {
    const array: Json[] = [];
    this.#at++;
    if (this.#next(']')) return array;
    do array.push(this.#value());
    while (this.#next(','));
    if (!this.#next(']')) throw this.#unexpected();
    return array;
  }

  /** Finds the end, and leaves escapes and refusals to `JSON.parse`. */
  #string(): string {
    if (this.#text[this.#at] !== '"') throw this.#unexpected();
    const begin = this.#at;
    let end = this.#text.indexOf('"', begin + 1);
    while (end !== -1 && this.#escaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) throw this.#unexpected();
    this.#at = end + 1;
    return JSON.parse(this.#text.slice(begin, this.#at)) as string;
  }

  #escaped(quote: number): boolean {
    let backslashes = 0;
    while (this.#text[quote - 1 - backslashes] === '\\') backslashes++;
    return backslashes % 2 === 1;
  }

  #number(): Json {
    numberToken.lastIndex = this.#at;
    const [token] = numberToken.exec(this.#text) ?? [];
    if (token === undefined) throw this.#unexpected();
    this.#at += token.length;
    const value = Number(token);
    if (/^-?\d+$/.test(token)) return Number.isSafeInteger(value) ? value : BigInt(token);
    return digits(token) > 15 ? new JsonDecimal(token) : value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected();
    this.#at += word.length;
    return value;
  }

  #next(mark: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    space.lastIndex = this.#at;
    this.#at += space.exec(this.#text)![0].length;
  }

  #unexpected(): SyntaxError {
    const found = this.#text.slice(this.#at, this.#at + 20);
    return new SyntaxError(`Unexpected ${found === '' ? 'end' : `'${found}'`} of JSON at position ${this.#at}`);
  }
}

const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const space = /[ \t\n\r]*/y;

/** Digits that count: without sign, point, exponent, and zeros before the first. */
function digits(token: string): number {
  return token
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '').length;
}
