import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** When a connection is lost around the end of a transaction. */
export type Cut = 'request-lost' | 'answer-lost';

/**
 * Stands between clients and a broker, and loses connections: of the requests that end a transaction (EndTxn) those it was told
 * to, either before the broker has seen the request, or after it has answered and before the client hears of it. The
 * broker has to advertise the proxy's port.
 */
export class CuttingProxy implements AsyncDisposable {
  readonly port: number;
  /** How often which has been done. */
  readonly cuts: Record<Cut, number> = { 'request-lost': 0, 'answer-lost': 0 };
  readonly #server;
  readonly #sockets = new Set<Socket>();
  readonly #planned: Cut[] = [];
  #target = 0;

  static async open(): Promise<CuttingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new CuttingProxy(server);
  }

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#relay(client));
  }

  /** Where the broker listens. */
  to(port: number): void {
    this.#target = port;
  }

  /** The next ends of transactions, one each. */
  plan(...cuts: readonly Cut[]): void {
    this.#planned.push(...cuts);
  }

  get planned(): number {
    return this.#planned.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #relay(client: Socket): void {
    const broker = connect(this.#target, '127.0.0.1');
    const both = [client, broker];
    const lose = (): void => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on('error', lose);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        lose();
      });
    }
    const frames = new Frames();
    let losesAnswer = false;
    client.on('data', (data) => {
      for (const frame of frames.take(data)) {
        const cut = frame.readInt16BE(4) === endTxn ? this.#planned.shift() : undefined;
        if (cut !== undefined) this.cuts[cut] += 1;
        if (cut === 'request-lost') {
          lose();
          return;
        }
        if (cut === 'answer-lost') losesAnswer = true;
        broker.write(frame);
      }
    });
    broker.on('data', (data) => {
      if (losesAnswer) lose();
      else client.write(data);
    });
  }
}

/** Api key of the protocol. */
const endTxn = 26;

/** Cuts a stream into requests: a length i32, and so many bytes. */
class Frames {
  #rest: Buffer = Buffer.alloc(0);

  *take(data: Buffer): Generator<Buffer, void, undefined> {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    while (this.#rest.length >= 4) {
      const length = 4 + this.#rest.readInt32BE(0);
      if (this.#rest.length < length) return;
      const frame = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      yield frame;
    }
  }
}
