import { setTimeout } from 'node:timers/promises';
import type { Interaction, Product } from '../../schemas/index.ts';
import { versionName } from './pieces.ts';

/** What a client was told is durable. */
export interface Acknowledged {
  /** Ids. */
  readonly events: ReadonlySet<string>;
  /** As `versionName` spells them. */
  readonly versions: ReadonlySet<string>;
}

/**
 * Producers over HTTP, each with one request on its way: `POST /v1/events`, and one of `POST /v1/products`, with NDJSON,
 * answered when the records are durable. What was not answered is sent again to the next life with the same ids, as a careful
 * client does, so ids come twice and must count once.
 *
 * An id is acknowledged when its answer came, as accepted or as a duplicate.
 */
export class HttpProducers {
  readonly acknowledged = { events: new Set<string>(), versions: new Set<string>() };
  /** Requests that were not answered, and were sent again. */
  retried = 0;
  /** Events that the server knew already. */
  duplicates = 0;
  readonly #producers: readonly Producer[];
  readonly #pauseMs: number;
  #url: string | undefined;
  #running: Promise<void> | undefined;

  /** `pauseMs` after each answer: no more comes than is processed, or commits would be those of a backlog, seconds apart. */
  constructor(options: { readonly producers: number; readonly eventsPerRequest: number; readonly pauseMs?: number }) {
    const { producers, eventsPerRequest, pauseMs = 0 } = options;
    const visitors = Array.from({ length: producers }, (_, at) => new EventProducer(`http-${at}`, eventsPerRequest));
    this.#producers = [...visitors, new VersionProducer()];
    this.#pauseMs = pauseMs;
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
      const { records, names } = producer.open();
      const answer = await post(`${this.#url}${producer.path}`, records);
      if (answer === undefined) {
        this.retried += 1;
        await setTimeout(20);
        continue;
      }
      if (answer.accepted + answer.duplicates !== records.length) {
        throw new Error(`${records.length} records wanted to be accepted, found ${JSON.stringify(answer)}`);
      }
      this.duplicates += answer.duplicates;
      const { events, versions } = this.acknowledged;
      const acknowledged = producer.path === '/v1/events' ? events : versions;
      for (const name of names) acknowledged.add(name);
      producer.next();
      await setTimeout(this.#pauseMs);
    }
  }
}

interface Producer {
  readonly path: '/v1/events' | '/v1/products';
  /** The request that is on its way or to be sent again; a new one behind `next`. */
  open(): OpenRequest;
  next(): void;
}

interface OpenRequest {
  readonly records: readonly unknown[];
  readonly names: readonly string[];
}

/** Visitors with sessions of a few products, views and purchases mixed, times that rise. */
class EventProducer implements Producer {
  readonly path = '/v1/events';
  readonly #name: string;
  readonly #count: number;
  #from = 0;

  constructor(name: string, count: number) {
    this.#name = name;
    this.#count = count;
  }

  open(): OpenRequest {
    const records = Array.from({ length: this.#count }, (_, at) => this.#event(this.#from + at));
    return { records, names: records.map(({ eventId }) => eventId) };
  }

  next(): void {
    this.#from += this.#count;
  }

  #event(at: number): Interaction {
    const visitor = Math.floor(at / 12);
    const product = (Math.imul(at, 2654435761) >>> 8) % httpProducts;
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

const httpProducts = 700;

/**
 * Versions of the visitors' products: each round other products are no longer sold, and every 35th has another category. Not
 * all of them, for such a version moves every session that has its product, and these are in thousands.
 */
class VersionProducer implements Producer {
  readonly path = '/v1/products';
  readonly #count = 10;
  #from = 0;

  open(): OpenRequest {
    const records = Array.from({ length: this.#count }, (_, at) => this.#version(this.#from + at));
    return { records, names: records.map(versionName) };
  }

  next(): void {
    this.#from += this.#count;
  }

  #version(at: number): Product {
    const [product, round] = [at % httpProducts, Math.floor(at / httpProducts)];
    const moves = product % 35 === 0 ? round : 0;
    return {
      ...{ id: `http-product-${product}`, title: `Product ${product}`, category: `c${(product + moves) % 9}` },
      ...{ price: 12_500 + product, listPrice: null, currency: 'GBP', stars: null, reviews: round, bestSeller: false },
      ...{ imageUrl: null, url: null, active: (product + round) % 7 !== 0 },
      // Amid the events' times, so that hours move from one category to another.
      updatedAt: 1_300_000_000_000 + round * 20_000_000,
    };
  }
}

interface Taken {
  readonly accepted: number;
  readonly duplicates: number;
}

/** The answer; undefined when the connection broke before there was one, or the server turned it away. */
async function post(url: string, records: readonly unknown[]): Promise<Taken | undefined> {
  const body = records.map((record) => JSON.stringify(record)).join('\n');
  const headers = { 'content-type': 'application/x-ndjson' };
  const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
  if (response === undefined || response.status === 503) return undefined;
  const text = await response.text().catch(() => undefined);
  if (text === undefined) return undefined;
  if (!response.ok) throw new Error(`POST ${url} wanted 2xx, found ${response.status}: ${text}`);
  return JSON.parse(text) as Taken;
}
