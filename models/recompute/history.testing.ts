import type { Interaction, Product } from '../../schemas/index.ts';
import type { LogEvent } from './log-events.ts';
import type { LogVersion } from './log-versions.ts';

let events = 0;

/** An event with what a test does not care about filled in; each has an id of its own. */
export function event(fields: Partial<Interaction>, partition = 0): LogEvent {
  const sessionId = fields.userId === undefined ? 's' : null;
  const value: Interaction = {
    ...{ eventId: `e${(events += 1)}`, userId: null, sessionId, productId: 'A', type: 'purchase', quantity: 1 },
    ...{ price: 0, currency: null, timestamp: 0, title: null, service: false, ...fields },
  };
  return { partition, value };
}

/** A version of a product with what a test does not care about filled in. */
export function version(fields: Partial<Product> & Pick<Product, 'id'>): LogVersion {
  const value: Product = {
    ...{ title: null, category: null, price: null, listPrice: null, currency: null, stars: null, reviews: 0 },
    ...{ bestSeller: false, imageUrl: null, url: null, active: true, updatedAt: 0, ...fields },
  };
  return { key: fields.id, value };
}

/** A session of purchases: `bought('s1', 'ABC')` is A, then B, then C. */
export function bought(sessionId: string, items: Iterable<string>): LogEvent[] {
  return [...items].map((productId) => event({ sessionId, productId }));
}

export function viewed(sessionId: string, items: Iterable<string>): LogEvent[] {
  return [...items].map((productId) => event({ sessionId, productId, type: 'view' }));
}
