import type { Windowed } from '../../topology/index.ts';
import { MalformedScenario } from './scenario.ts';

/**
 * The expressions of the scenario language: `"{left}+{right}"`, `{ "mod": ["{key}", 3] }`, `null`. A string is a template;
 * one that is a single placeholder passes the value itself. Everything else is a constant or `{ operator: arguments }`.
 */
export type Bindings = Readonly<Partial<Record<'key' | 'value' | 'left' | 'right' | 'agg', unknown>>>;

export type Expression = (bindings: Bindings) => unknown;

/** @throws MalformedScenario for an operator that the language does not have. */
export function compile(json: unknown): Expression {
  if (typeof json === 'string') return template(json);
  if (json === undefined) throw new MalformedScenario('wants an expression, found nothing');
  if (typeof json !== 'object' || json === null) return () => json;
  const entries = Object.entries(json as Record<string, unknown>);
  const [name, given] = entries[0] ?? [];
  if (entries.length !== 1 || name === undefined) {
    throw new MalformedScenario(`an expression wants one operator, found ${JSON.stringify(json)}`);
  }
  if (name === 'const') return () => given;
  const operator = operators[name];
  if (operator === undefined) throw new MalformedScenario(`an expression wants an operator, found '${name}'`);
  const compiled = (Array.isArray(given) ? (given as unknown[]) : [given]).map(compile);
  if (name === 'if') return (bindings) => compiled[compiled[0]!(bindings) === true ? 1 : 2]!(bindings);
  return (bindings) => operator(...compiled.map((argument) => argument(bindings)));
}

const placeholder = /\{(key|value|left|right|agg)\}/g;

function template(text: string): Expression {
  const whole = /^\{(key|value|left|right|agg)\}$/.exec(text);
  if (whole !== null) {
    const name = whole[1] as keyof Bindings;
    return (bindings) => bindings[name];
  }
  return (bindings) => text.replace(placeholder, (_, name: keyof Bindings) => printed(bindings[name]));
}

/** As the peer prints it: `null`, and a windowed key as `[key@start/end]`. */
export function printed(value: unknown): string {
  if (isWindowed(value)) return `[${printed(value.key)}@${value.window.startMs}/${value.window.endMs}]`;
  return String(value);
}

export function isWindowed(value: unknown): value is Windowed<unknown> {
  return typeof value === 'object' && value !== null && 'window' in value && 'key' in value;
}

const operators: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  add: (a, b) => (a as number) + (b as number),
  sub: (a, b) => (a as number) - (b as number),
  mod: (a, b) => (a as number) % (b as number),
  int: (text) => Number.parseInt(text as string, 10),
  trunc: (value) => Math.trunc(value as number),
  str: printed,
  len: (text) => (text as string).length,
  upper: (text) => (text as string).toUpperCase(),
  concat: (...parts) => parts.map(printed).join(''),
  part: (text, separator, index) => (text as string).split(separator as string)[index as number] ?? null,
  first: (text, count) => (text as string).slice(0, count as number),
  char: (text, index) => (text as string)[index as number] ?? null,
  charOffset: (text, from) => (text as string).charCodeAt(0) - (from as string).charCodeAt(0),
  remove: (text, part) => (text as string).replaceAll(part as string, ''),
  eq: (a, b) => a === b,
  gt: (a, b) => (a as number) > (b as number),
  not: (value) => value !== true,
  isNull: (value) => value === null || value === undefined,
  if: () => undefined,
};
