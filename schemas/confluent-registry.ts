import { canonicalText, parseAvro } from './avro-type.ts';
import {
  ConfluentClient,
  type Answer,
  type ConfluentRegistryOptions,
  type SchemaAnswer,
  type VersionAnswer,
} from './confluent-client.ts';
import { type ErrorCode, type ErrorFacts, MillraceError } from './errors.ts';
import {
  compatibilities,
  type AvroSchema,
  type Compatibility,
  type IdentifiedSchema,
  type RegisteredSchema,
  type SchemaRegistry,
} from './registry.ts';

export type { ConfluentRegistryOptions } from './confluent-client.ts';

/**
 * A schema registry that speaks Confluent's REST API: Confluent's own, Apicurio, Karapace, Redpanda. Nothing is asked until the
 * first call.
 *
 * What is registered already is found without being written, so a name that may only read can run what another has registered.
 * Rules are never changed but by `setCompatibility`. Schemas with references to other subjects can't be used.
 *
 *     const registry = confluentRegistry({ url: 'http://127.0.0.1:8081' });
 *     const serde = await avroSerde<Order>(registry, { subject: 'orders-value', schema });
 *
 * @throws MillraceError `INVALID_ARGUMENT` for a url that is none; its calls, beside what the port says, `REGISTRY_UNREACHABLE`
 * when there is no answer in time, and `REGISTRY_FAILED` with the status and the words of one that can't be used.
 */
export function confluentRegistry(options: ConfluentRegistryOptions): SchemaRegistry {
  return new ConfluentRegistry(new ConfluentClient(options));
}

/** Of ids, and of a subject's schemas: neither ever changes. */
const cachedMax = 10_000;

/** Registries that don't order concurrent writers answer 409 to the slower ones, or don't find at once what they have just taken. */
const registerTriesMax = 3;

class ConfluentRegistry implements SchemaRegistry {
  readonly #client: ConfluentClient;
  readonly #byId = new Map<number, IdentifiedSchema>();
  readonly #registered = new Map<string, RegisteredSchema>();

  constructor(client: ConfluentClient) {
    this.#client = client;
  }

  async register(subject: string, schema: AvroSchema): Promise<RegisteredSchema> {
    if (subject === '') throw new MillraceError('INVALID_ARGUMENT', 'Subject wants a name, found none', { subject });
    parseAvro(schema, subject);
    const text = canonicalText(schema);
    const key = `${subject} ${text}`;
    const known = this.#registered.get(key);
    if (known !== undefined) return known;
    const registered = await this.#register(subject, text);
    keep(this.#registered, key, registered);
    return registered;
  }

  /** An answer to a registration has no version, so it is looked up, which comes first because it mostly suffices. */
  async #register(subject: string, text: string): Promise<RegisteredSchema> {
    for (let tries = 1; ; tries++) {
      const found = await this.#client.lookUp(subject, text);
      if (found.kind === 'answered') return registeredOf(found.body);
      const taken = found.status === 404 ? await this.#client.register(subject, text) : found;
      if (tries < registerTriesMax && (taken.kind === 'answered' || taken.status === 409)) continue;
      const codes = { 409: 'SCHEMA_INCOMPATIBLE', 422: 'SCHEMA_INVALID' } as const;
      const refusal = taken.kind === 'refused' ? taken : found;
      throw this.#refused(refusal, `Schema for subject '${subject}'`, { subject }, codes);
    }
  }

  async byId(id: number): Promise<IdentifiedSchema> {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const answer = await this.#client.schema(id);
    if (answer.kind === 'refused') {
      throw this.#refused(answer, `Schema with id ${id}`, { id }, { 404: 'SCHEMA_NOT_FOUND' });
    }
    const schema = { id, schema: avroOf(answer.body, `id ${id}`) };
    keep(this.#byId, id, schema);
    return schema;
  }

  latest(subject: string): Promise<RegisteredSchema | undefined> {
    return this.#version(subject, 'latest');
  }

  async versions(subject: string): Promise<readonly RegisteredSchema[]> {
    const numbers = await this.#client.versions(subject);
    if (numbers.kind === 'refused' && numbers.status === 404) return [];
    const versions: RegisteredSchema[] = [];
    for (const number of this.#body(numbers, `Versions of subject '${subject}'`, { subject }).toSorted(
      (a, b) => a - b,
    )) {
      const version = await this.#version(subject, number);
      // One that was deleted meanwhile.
      if (version !== undefined) versions.push(version);
    }
    return versions;
  }

  async #version(subject: string, version: number | 'latest'): Promise<RegisteredSchema | undefined> {
    const answer = await this.#client.version(subject, version);
    if (answer.kind === 'refused' && answer.status === 404) return undefined;
    return registeredOf(this.#body(answer, `Version ${version} of subject '${subject}'`, { subject, version }));
  }

  async subjects(): Promise<readonly string[]> {
    return this.#body(await this.#client.subjects(), 'The list of subjects', {}).toSorted();
  }

  async compatibility(subject: string): Promise<Compatibility> {
    const own = await this.#client.rule(subject);
    const answer = own.kind === 'refused' && own.status === 404 ? await this.#client.registryRule() : own;
    const doing = `The rule of subject '${subject}'`;
    const { compatibilityLevel } = this.#body(answer, doing, { subject });
    const rule = compatibilities.find((known) => known === compatibilityLevel);
    if (rule !== undefined) return rule;
    const message = `'${compatibilityLevel}' is none of ${compatibilities.join(', ')}`;
    throw this.#refused({ status: 200, message }, doing, { subject });
  }

  async setCompatibility(subject: string, compatibility: Compatibility): Promise<void> {
    const answer = await this.#client.setRule(subject, compatibility);
    this.#body(answer, `The rule of subject '${subject}'`, { subject, rule: compatibility });
  }

  #body<T>(answer: Answer<T>, doing: string, facts: ErrorFacts): T {
    if (answer.kind === 'answered') return answer.body;
    throw this.#refused(answer, doing, facts);
  }

  /** `codes`: which statuses the port has a word for, in this request. */
  #refused(
    { status, message }: { readonly status: number; readonly message: string },
    doing: string,
    facts: ErrorFacts,
    codes: Readonly<Record<number, ErrorCode>> = {},
  ): MillraceError {
    const { url } = this.#client;
    const said =
      status === 401 || status === 403
        ? `refused the user name or password (${status}: ${message})`
        : `answered ${status}: ${message}`;
    const code = codes[status] ?? 'REGISTRY_FAILED';
    return new MillraceError(code, `${doing}: the registry at ${url} ${said}`, { ...facts, url, status });
  }
}

function registeredOf(answer: VersionAnswer): RegisteredSchema {
  const { id, subject, version } = answer;
  return { id, subject, version, schema: avroOf(answer, `${subject}, version ${version}`) };
}

function avroOf({ schema, schemaType = 'AVRO' }: SchemaAnswer, where: string): AvroSchema {
  if (schemaType !== 'AVRO') {
    throw new MillraceError('SCHEMA_INVALID', `Schema of ${where} wants AVRO, found ${schemaType}`, { subject: where });
  }
  try {
    return JSON.parse(schema) as AvroSchema;
  } catch (cause) {
    throw new MillraceError('SCHEMA_INVALID', `Schema of ${where} is not JSON`, { subject: where }, { cause });
  }
}

function keep<K, V>(cache: Map<K, V>, key: K, value: V): void {
  if (cache.size >= cachedMax) cache.delete(cache.keys().next().value as K);
  cache.set(key, value);
}
