import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Enough of S3 for tests: PUT with `If-None-Match`, GET with ranges, HEAD, DELETE and ListObjectsV2 in pages of three, on a free
 * port of this machine. It believes every signature. `fault` decides over each request what goes wrong with it.
 */
export class FakeS3 implements AsyncDisposable {
  readonly objects = new Map<string, { readonly bytes: Buffer; readonly modified: Date }>();
  /** Gives a fault for a request, or undefined. */
  fault: (method: string, key: string, conditional: boolean) => Fault | undefined = () => undefined;
  /** False: a server from before conditional writes. */
  conditional = true;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      void this.#answer(request, response);
    });
  }

  static async listen(): Promise<FakeS3> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeS3(server);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Buffer[] = [];
    for await (const part of request) body.push(part as Buffer);
    const url = new URL(request.url!, this.endpoint);
    const key = decodeURIComponent(url.pathname.slice(1));
    const method = url.searchParams.get('list-type') === '2' ? 'LIST' : request.method!;
    const isConditional = request.headers['if-none-match'] === '*';
    const fault = this.fault(method, key, isConditional);
    if (fault?.kind === 'refuse') return error(response, fault.status, fault.code);
    const cut = fault?.kind === 'lose-response';
    switch (method) {
      case 'LIST':
        return this.#list(url, key.replace(/\/$/, ''), response);
      case 'PUT': {
        if (isConditional && this.conditional && this.objects.has(key))
          return error(response, 412, 'PreconditionFailed');
        this.objects.set(key, { bytes: Buffer.concat(body), modified: new Date() });
        if (cut) request.socket.destroy();
        else response.writeHead(200, { etag: '"x"' }).end();
        return;
      }
      case 'DELETE':
        this.objects.delete(key);
        response.writeHead(204).end();
        return;
      default: {
        const found = this.objects.get(key);
        if (found === undefined) return error(response, 404, 'NoSuchKey');
        const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const bytes = found.bytes.subarray(from);
        const headers = { 'content-length': bytes.length, 'last-modified': found.modified.toUTCString(), etag: '"x"' };
        response.writeHead(from > 0 ? 206 : 200, headers).end(method === 'HEAD' ? undefined : bytes);
      }
    }
  }

  #list(url: URL, bucket: string, response: ServerResponse): void {
    const of = (name: string): string => url.searchParams.get(name) ?? '';
    const prefix = `${bucket}/${of('prefix')}`;
    const after = Buffer.from(of('continuation-token'), 'hex').toString() || of('start-after');
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted((l, r) => (l < r ? -1 : 1));
    const inFolder = keys.filter((key) => of('delimiter') === '' || !key.slice(prefix.length).includes('/'));
    const left = inFolder.map((key) => key.slice(bucket.length + 1)).filter((key) => key > after);
    const page = left.slice(0, 3);
    const contents = page.map((key) => {
      const { bytes, modified } = this.objects.get(`${bucket}/${key}`)!;
      const text =
        of('encoding-type') === 'url' ? encodeURIComponent(key) : key.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      return `<Contents><Key>${text}</Key><LastModified>${modified.toISOString()}</LastModified><ETag>"x"</ETag><Size>${bytes.length}</Size></Contents>`;
    });
    const truncated = left.length > page.length;
    const next = truncated
      ? `<NextContinuationToken>${Buffer.from(page.at(-1)!).toString('hex')}</NextContinuationToken>`
      : '';
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<ListBucketResult><IsTruncated>${truncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    );
  }
}

export type Fault =
  /** Answered with an error, and not carried out. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Carried out, and never answered. */
  | { readonly kind: 'lose-response' };

function error(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
