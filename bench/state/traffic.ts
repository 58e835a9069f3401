import type { Interaction } from '../../schemas/index.ts';
import type { Server } from './server.ts';

const linesAtOnce = 1000;
const productsMax = 2000;

/** A stream of interactions on its way into servers, one after another. */
export class Traffic {
  /** Some that have had events. */
  readonly products = new Set<string>();
  /** Sent so far. */
  events = 0;
  readonly #stream: AsyncIterator<Interaction, void>;

  constructor(stream: AsyncIterator<Interaction, void>) {
    this.#stream = stream;
  }

  /** Resolves when the topology has processed them. */
  async send(server: Server, events: number): Promise<void> {
    for (let left = events; left > 0; left -= linesAtOnce)
      await server.post(await this.#lines(Math.min(left, linesAtOnce)));
    await server.caughtUp();
  }

  async #lines(count: number): Promise<string> {
    const lines: string[] = [];
    while (lines.length < count) {
      const { value: event } = await this.#stream.next();
      if (event === undefined) throw new Error(`The stream ended after ${this.events + lines.length} interactions`);
      if (this.products.size < productsMax) this.products.add(event.productId);
      lines.push(`${JSON.stringify(event)}\n`);
    }
    this.events += lines.length;
    return lines.join('');
  }
}
