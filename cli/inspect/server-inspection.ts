import { type ErrorCode, errorCodes, MillraceError } from '../../schemas/index.ts';
import type { Answers, GenerationFacts, ReplayRequest, StoreFacts } from '../../serving/host/index.ts';
import type { TopologyJson } from '../../topology/index.ts';
import type { Inspection } from './inspection.ts';

const answerWithinMs = 10_000;

/** Asks the server that has the folder open, at the address in the folder's owner note. */
export class ServerInspection implements Inspection {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async stores(): Promise<readonly StoreFacts[]> {
    const { stores } = (await this.#get('/v1/stores')) as { readonly stores: readonly StoreFacts[] };
    return stores;
  }

  async topology(): Promise<{ readonly text: string; readonly json: TopologyJson }> {
    const [text, json] = await Promise.all([this.#get('/v1/topology', 'text/plain'), this.#get('/v1/topology')]);
    return { text: text as string, json: json as TopologyJson };
  }

  query(store: string, key: string): Promise<unknown> {
    return this.#get(`/v1/stores/${encodeURIComponent(store)}/keys/${encodeURIComponent(key)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async generations(): Promise<readonly GenerationFacts[]> {
    return ((await this.#get('/v1/generations')) as { readonly generations: readonly GenerationFacts[] }).generations;
  }

  async replay({ from, trimmed, parameters }: ReplayRequest): Promise<GenerationFacts> {
    const { kind, ...start } = from;
    const body = { trimmed, parameters, ...(kind === 'earliest' ? {} : { from: start }) };
    return (await this.#send('POST', '/v1/replays', body)) as GenerationFacts;
  }

  async activate(id: number): Promise<GenerationFacts> {
    return (await this.#send('POST', `/v1/generations/${id}/activate`)) as GenerationFacts;
  }

  async prune(id: number): Promise<void> {
    await this.#send('DELETE', `/v1/generations/${id}`);
  }

  /** Takes as long as it takes. */
  async backup(folder: string): Promise<Answers['backup']> {
    return (await this.#send('POST', '/v1/backups', { folder })) as Answers['backup'];
  }

  async #send(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const request = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
    return (await (await this.#fetch(path, request)).json()) as unknown;
  }

  async #get(path: string, accept = 'application/json'): Promise<unknown> {
    const signal = AbortSignal.timeout(answerWithinMs);
    const response = await this.#fetch(path, { headers: { accept }, signal });
    return accept === 'text/plain' ? await response.text() : ((await response.json()) as unknown);
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.#url + path, request);
    } catch (cause) {
      const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
      const message = `The server at ${this.#url} has the data folder open and does not answer (${why})`;
      throw new MillraceError('DATA_FOLDER_IN_USE', message, { url: this.#url }, { cause });
    }
    if (!response.ok) throw refusal(await response.text(), response.status, this.#url);
    return response;
  }
}

/** The server's own error again, with its code. */
function refusal(body: string, status: number, url: string): MillraceError {
  try {
    const { error } = JSON.parse(body) as { readonly error: { readonly code: string; readonly message: string } };
    const known = (errorCodes as readonly string[]).includes(error.code);
    if (known) return new MillraceError(error.code as ErrorCode, error.message, { url });
  } catch {
    // Not one of our answers: something else listens there.
  }
  const found = `status ${status}: ${body.slice(0, 200)}`;
  return new MillraceError('DATA_FOLDER_IN_USE', `The server at ${url} wants to answer as Millrace, found ${found}`, {
    url,
    status,
  });
}
