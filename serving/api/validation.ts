import type { FastifySchemaCompiler } from 'fastify';
import { Compile } from 'typebox/compile';
import type { TSchema } from 'typebox';
import { MillraceError } from '../../schemas/index.ts';

/**
 * Checks requests against the TypeBox schemas that also make the OpenAPI page. Bodies are taken as they are. Queries and
 * path parameters are text, so they are converted first, by what their schema says: integers and booleans are parsed, a
 * list may be given with commas or by repeating the name. What is wrong is told by field, with what was wanted and found.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  const where = httpPart === 'body' ? 'Field' : 'Parameter';
  return (input: unknown) => {
    const value = httpPart === 'querystring' ? converted(schema as ObjectSchema, input as Query) : input;
    if (compiled.Check(value)) return { value };
    const [first] = compiled.Errors(value);
    return { error: refusal(where, first as unknown as SchemaError, value) };
  };
};

interface PropertySchema {
  readonly type?: string;
  readonly default?: unknown;
}
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, PropertySchema>>;
}
interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: {
    readonly type?: string;
    readonly limit?: number;
    readonly allowedValue?: unknown;
    readonly requiredProperties?: readonly string[];
  };
}
type Query = Readonly<Record<string, string | readonly string[]>>;

function converted({ properties = {} }: ObjectSchema, query: Query): Record<string, unknown> {
  const value: Record<string, unknown> = { ...query };
  for (const [name, property] of Object.entries(properties)) {
    const found = query[name];
    if (found === undefined) {
      if (property.default !== undefined) value[name] = property.default;
    } else if (property.type === 'array') {
      const texts = typeof found === 'string' ? [found] : found;
      value[name] = texts.flatMap((text) => text.split(',')).filter((text) => text !== '');
    } else if (property.type === 'integer' && typeof found === 'string' && /^-?\d{1,15}$/.test(found)) {
      value[name] = Number(found);
    } else if (property.type === 'boolean' && (found === 'true' || found === 'false')) {
      value[name] = found === 'true';
    }
  }
  return value;
}

function refusal(where: string, error: SchemaError, value: unknown): MillraceError {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const missing = error.params.requiredProperties?.[0];
  const field = [...path, ...(missing === undefined ? [] : [missing])].join('.');
  const subject = field === '' ? 'The body' : `${where} '${field}'`;
  if (missing !== undefined) return invalid(`${subject} is missing.`, field);
  if (error.keyword === 'boolean') return invalid(`${subject} is not known here.`, field);
  const found = path.reduce<unknown>((of, part) => (of as Record<string, unknown> | undefined)?.[part], value);
  return invalid(`${subject} ${wanted(error)}, found ${shown(found)}.`, field);
}

function wanted({ keyword, message, params: { type, limit, allowedValue } }: SchemaError): string {
  switch (keyword) {
    case 'type':
      return `wants ${type === 'integer' || type === 'array' || type === 'object' ? 'an' : 'a'} ${type}`;
    case 'minimum':
      return `wants at least ${limit}`;
    case 'maximum':
      return `wants at most ${limit}`;
    case 'minLength':
      return `wants at least ${limit} characters`;
    case 'maxLength':
      return `wants at most ${limit} characters`;
    case 'maxItems':
      return `wants at most ${limit} items`;
    case 'const':
      return `wants ${JSON.stringify(allowedValue)}`;
    default:
      return message;
  }
}

function invalid(message: string, field: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', message, { field });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
