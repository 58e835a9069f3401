import { setTimeout } from 'node:timers/promises';
import type { Interaction } from '../../schemas/index.ts';

/**
 * Producers over HTTP, each with one request on its way: `POST /v1/events` with NDJSON, answered when the events are
 * durable. What was not answered is sent again to the next life with the same ids, as a careful client does, so ids come
 * twice and must count once.
 *
 * An id is acknowledged when its answer came, as accepted or as a duplicate.
 */
export class HttpProducers {
  readonly acknowledged = new Set<string>();
  /** Requests that were not answered, and were sent again. */
  retried = 0;
  /** Events that the server knew already. */
  duplicates = 0;
  readonly #producers: Producer[];
  readonly #events: number;
  readonly #pauseMs: number;
  #url: string | undefined;
  #running: Promise<void> | undefined;

  /** `pauseMs` after each answer: no more comes than is processed, or commits would be those of a backlog, seconds apart. */
  constructor(options: { readonly producers: number; readonly eventsPerRequest: number; readonly pauseMs?: number }) {
    this.#events = options.eventsPerRequest;
    this.#pauseMs = options.pauseMs ?? 0;
    this.#producers = Array.from({ length: options.producers }, (_, at) => new Producer(at));
  }

  sendTo(url: string): void {
    this.#url = url;
    this.#running = Promise.all(this.#producers.map((producer) => this.#produce(producer))).then(() => undefined);
    this.#running.catch(() => undefined); // `pause` tells it.
  }

  /** Stops after the requests that are on their way; those that fail are sent again later. */
  async pause(): Promise<void> {
    this.#url = undefined;
    await this.#running;
  }

  async #produce(producer: Producer): Promise<void> {
    while (this.#url !== undefined) {
      const events = producer.next(this.#events);
      const answer = await post(this.#url, events);
      if (answer === undefined) {
        this.retried += 1;
        await setTimeout(20);
        continue;
      }
      if (answer.accepted + answer.duplicates !== events.length) {
        throw new Error(`${events.length} events wanted to be accepted, found ${JSON.stringify(answer)}`);
      }
      this.duplicates += answer.duplicates;
      for (const { eventId } of events) this.acknowledged.add(eventId);
      producer.acknowledge();
      if (this.#pauseMs > 0) await setTimeout(this.#pauseMs);
    }
  }
}

/** Visitors with sessions of a few products, views and purchases mixed, times that rise. */
class Producer {
  readonly #name: string;
  #sent = 0;
  #open: Interaction[] | undefined;

  constructor(at: number) {
    this.#name = `http-${at}`;
  }

  next(count: number): Interaction[] {
    this.#open ??= Array.from({ length: count }, () => this.#event(this.#sent++));
    return this.#open;
  }

  acknowledge(): void {
    this.#open = undefined;
  }

  #event(at: number): Interaction {
    const visitor = Math.floor(at / 12);
    const product = (Math.imul(at, 2654435761) >>> 8) % 700;
    return {
      eventId: `${this.#name}:${at}`,
      userId: visitor % 3 === 0 ? null : `${this.#name}:user:${visitor % 40}`,
      sessionId: visitor % 5 === 4 ? null : `${this.#name}:${visitor}`,
      ...(visitor % 3 === 0 && visitor % 5 === 4 ? { userId: `${this.#name}:user:0` } : {}),
      productId: product < 100 ? `2${String(2000 + product)}` : `http-product-${product}`,
      type: at % 4 === 3 ? 'purchase' : at % 31 === 0 ? 'cart' : 'view',
      quantity: 1 + (at % 3),
      price: 12_500 + product,
      currency: 'GBP',
      timestamp: 1_300_000_000_000 + at * 20_000,
      title: null,
      service: false,
    };
  }
}

interface Taken {
  readonly accepted: number;
  readonly duplicates: number;
}

/** The answer; undefined when the connection broke before there was one, or the server turned it away. */
async function post(url: string, events: readonly Interaction[]): Promise<Taken | undefined> {
  const body = events.map((event) => JSON.stringify(event)).join('\n');
  const headers = { 'content-type': 'application/x-ndjson' };
  const response = await fetch(`${url}/v1/events`, { method: 'POST', headers, body }).catch(() => undefined);
  if (response === undefined || response.status === 503) return undefined;
  const text = await response.text().catch(() => undefined);
  if (text === undefined) return undefined;
  if (!response.ok) throw new Error(`POST /v1/events wanted 2xx, found ${response.status}: ${text}`);
  return JSON.parse(text) as Taken;
}
