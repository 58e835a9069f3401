/**
 * The load of bench/lookups.ts, in a process of its own so that it takes no time from the server's event loop.
 *
 * Open loop: requests leave on schedule, whatever the answers do, and a time counts from when the request was due, so a
 * server that stalls is not spared the requests that would have come meanwhile. Sockets are written and read by
 * hand: Node's own client takes as long for a request as the server does for its answer.
 */
import { connect, type Socket } from 'node:net';

export interface LoadJob {
  readonly port: number;
  readonly paths: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly latenciesMs: readonly number[];
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

const sockets = 64;

export async function openLoop({ port, paths, perSecond, seconds }: LoadJob): Promise<LoadResult> {
  const total = perSecond * seconds;
  const latenciesMs: number[] = [];
  const statuses: Record<string, number> = {};
  const requests = paths.map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`));
  const free = await Promise.all(Array.from({ length: sockets }, () => Connection.open(port)));
  const due: { readonly request: Buffer; readonly atMs: number }[] = [];
  const startMs = performance.now() + 20;
  return await new Promise((resolve) => {
    let sent = 0;
    const leave = (): void => {
      while (due.length > 0 && free.length > 0) {
        const { request, atMs } = due.shift()!;
        const connection = free.pop()!;
        connection.ask(request, (status) => {
          latenciesMs.push(performance.now() - atMs);
          statuses[status] = (statuses[status] ?? 0) + 1;
          free.push(connection);
          if (latenciesMs.length < total) return leave();
          for (const { socket } of free) socket.destroy();
          resolve({ latenciesMs, statuses });
        });
      }
    };
    const tick = (): void => {
      const nowMs = performance.now();
      for (; sent < total && startMs + (sent * 1000) / perSecond <= nowMs; sent += 1) {
        due.push({ request: requests[sent % requests.length]!, atMs: startMs + (sent * 1000) / perSecond });
      }
      leave();
      if (sent < total) setTimeout(tick, 1);
    };
    tick();
  });
}

/** One keep-alive connection with one request at a time. */
class Connection {
  readonly socket: Socket;
  #received = '';
  #done: ((status: string) => void) | undefined;

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Connection(socket)));
      socket.setNoDelay(true);
      socket.once('error', reject);
    });
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      // Latin 1 keeps one character a byte, so lengths can be compared.
      this.#received += bytes.toString('latin1');
      const head = this.#received.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(this.#received.slice(0, head))?.[1] ?? 0);
      if (this.#received.length < head + 4 + length) return;
      const status = this.#received.slice(9, 12);
      this.#received = '';
      this.#done?.(status);
    });
  }

  ask(request: Buffer, done: (status: string) => void): void {
    this.#done = done;
    this.socket.write(request);
  }
}

process.on('message', (job: LoadJob) => {
  void openLoop(job).then((result) => process.send?.(result));
});
