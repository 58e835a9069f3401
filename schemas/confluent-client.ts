/**
 * The requests of Confluent's REST API that the port needs, sent by the HTTP client inside @kafkajs/confluent-schema-registry
 * (3.9.0, pinned; docs/decisions/006): it authenticates, and tries what only reads four times within a second or so. It lies below
 * the package's public face and is typed here by what that version does. Two requests it has not are sent with `fetch`: the list of a
 * subject's versions, and the registry's own rule.
 *
 * The public face is not used. Its `register` refuses schemas without a name (a key's is often a plain `"string"`), gives a
 * subject that has no rule the rule BACKWARD, and gives no version; its `getSchema` gives avsc types, which have lost
 * logical types and what else avsc does not know.
 *
 * The package is loaded when a registry is made, so that who runs embedded does not wait for it.
 */
import { createRequire } from 'node:module';
import { MillraceError } from './errors.ts';

export interface ConfluentRegistryOptions {
  /** `https://registry.example:8081`, with a path where the API has one. A name and password may stand in it, as for Kafka's clients. */
  readonly url: string;
  /** Basic authentication. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** One request gives up when nothing has come for so long. Default: 10,000. */
  readonly requestTimeoutMs?: number;
}

/** What a registry says: what was asked for, or why not. That it says nothing is an error. */
export type Answer<T> =
  | { readonly kind: 'answered'; readonly body: T }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string };

export interface SchemaAnswer {
  readonly schema: string;
  /** Left out for Avro. */
  readonly schemaType?: string;
}

export interface VersionAnswer extends SchemaAnswer {
  readonly id: number;
  readonly subject: string;
  readonly version: number;
}

export interface RuleAnswer {
  readonly compatibilityLevel: string;
}

export class ConfluentClient {
  /** Without name and password. */
  readonly url: string;
  readonly #requests: PackageRequests;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeout: number;

  constructor(options: ConfluentRegistryOptions) {
    const { url, auth } = addressOf(options);
    this.url = url;
    this.#requests = packageRequests(url, auth);
    this.#timeout = options.requestTimeoutMs ?? 10_000;
    const credentials = Buffer.from(`${auth?.username}:${auth?.password}`).toString('base64');
    this.#headers = auth === undefined ? {} : { authorization: `Basic ${credentials}` };
  }

  subjects(): Promise<Answer<readonly string[]>> {
    return this.#ask(this.#requests.Subject.all({ timeout: this.#timeout }));
  }

  /** Finds the version of the subject that has this schema. `normalize`: whatever the order of keys. */
  lookUp(subject: string, schema: string): Promise<Answer<VersionAnswer>> {
    return this.#ask(
      this.#requests.Subject.registered({ subject, normalize: true, body: { schema }, timeout: this.#timeout }),
    );
  }

  register(subject: string, schema: string): Promise<Answer<{ readonly id: number }>> {
    return this.#ask(
      this.#requests.Subject.register({ subject, normalize: true, body: { schema }, timeout: this.#timeout }),
    );
  }

  schema(id: number): Promise<Answer<SchemaAnswer>> {
    return this.#ask(this.#requests.Schema.find({ id, timeout: this.#timeout }));
  }

  version(subject: string, version: number | 'latest'): Promise<Answer<VersionAnswer>> {
    return this.#ask(this.#requests.Subject.version({ subject, version, timeout: this.#timeout }));
  }

  versions(subject: string): Promise<Answer<readonly number[]>> {
    return this.#fetch(`/subjects/${encodeURIComponent(subject)}/versions`);
  }

  rule(subject: string): Promise<Answer<RuleAnswer>> {
    return this.#ask(this.#requests.Subject.config({ subject, defaultToGlobal: true, timeout: this.#timeout }));
  }

  registryRule(): Promise<Answer<RuleAnswer>> {
    return this.#fetch('/config');
  }

  setRule(subject: string, compatibility: string): Promise<Answer<unknown>> {
    return this.#ask(this.#requests.Subject.updateConfig({ subject, body: { compatibility }, timeout: this.#timeout }));
  }

  async #ask<T>(request: Promise<PackageResponse>): Promise<Answer<T>> {
    try {
      return answered((await request).data());
    } catch (error) {
      const { status, message } = error as PackageError;
      const text = message.slice(`${clientId} - `.length);
      // What never came to an answer has status 400 as well, and the reason in the place of the registry's words.
      const broken = /^Error, status 400(?:: (.*))?$/s.exec(text);
      if (status === undefined) throw this.#unreachable(message, error);
      if (broken !== null) throw this.#unreachable(broken[1] ?? 'no connection', error);
      return { kind: 'refused', status, message: text };
    }
  }

  async #fetch<T>(path: string): Promise<Answer<T>> {
    let status: number;
    let text: string;
    try {
      const signal = AbortSignal.timeout(this.#timeout);
      const response = await fetch(`${this.url}${path}`, { headers: this.#headers, signal });
      ({ status } = response);
      text = await response.text();
    } catch (error) {
      const { message, cause } = error as Error;
      const why = cause instanceof Error ? cause.message : message;
      // None where several addresses of the host refused.
      throw this.#unreachable(why === '' ? 'no connection' : why, error);
    }
    const body = parsed(text);
    if (status < 300) return answered(body);
    const message = (body as { readonly message?: string } | undefined)?.message ?? text;
    return { kind: 'refused', status, message };
  }

  #unreachable(why: string, cause: unknown): MillraceError {
    const { url } = this;
    return new MillraceError(
      'REGISTRY_UNREACHABLE',
      `The registry at ${url} does not answer (${why})`,
      { url },
      { cause },
    );
  }
}

const clientId = 'millrace';

interface PackageRequests {
  readonly Schema: { find(of: { readonly id: number } & Timeout): Promise<PackageResponse> };
  readonly Subject: {
    all(of: Timeout): Promise<PackageResponse>;
    registered(of: OfSubject & Written): Promise<PackageResponse>;
    register(of: OfSubject & Written): Promise<PackageResponse>;
    version(of: OfSubject & { readonly version: number | 'latest' }): Promise<PackageResponse>;
    config(of: OfSubject & { readonly defaultToGlobal: boolean }): Promise<PackageResponse>;
    updateConfig(of: OfSubject & { readonly body: { readonly compatibility: string } }): Promise<PackageResponse>;
  };
}

interface Timeout {
  readonly timeout: number;
}

interface OfSubject extends Timeout {
  readonly subject: string;
}

interface Written {
  readonly normalize: boolean;
  readonly body: { readonly schema: string };
}

interface PackageResponse {
  /** Text where the answer was no JSON. */
  data(): unknown;
}

interface PackageError {
  readonly status?: number;
  readonly message: string;
}

function packageRequests(host: string, auth: ConfluentRegistryOptions['auth']): PackageRequests {
  const require = createRequire(import.meta.url);
  const { SchemaRegistry } =
    require('@kafkajs/confluent-schema-registry') as typeof import('@kafkajs/confluent-schema-registry');
  // Its retry options are left alone: given to one registry, they would hold for every one of the process.
  const registry = new SchemaRegistry({ host, clientId, ...(auth && { auth: { ...auth } }) });
  return (registry as unknown as { readonly api: PackageRequests }).api;
}

function addressOf({ url, auth }: ConfluentRegistryOptions): Pick<ConfluentRegistryOptions, 'url' | 'auth'> {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    const shown = url.replace(/^.*@/, '…@');
    throw new MillraceError('INVALID_ARGUMENT', `The registry's url wants http://… or https://…, found '${shown}'`);
  }
  const address = new URL(url);
  const inUrl = { username: decodeURIComponent(address.username), password: decodeURIComponent(address.password) };
  address.username = address.password = '';
  const login = auth ?? (inUrl.username === '' ? undefined : inUrl);
  return { url: address.href.replace(/\/+$/, ''), ...(login && { auth: login }) };
}

function answered<T>(body: unknown): Answer<T> {
  if (typeof body === 'object' && body !== null) return { kind: 'answered', body: body as T };
  return { kind: 'refused', status: 200, message: 'what it sent is no JSON, so no registry may be there' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
