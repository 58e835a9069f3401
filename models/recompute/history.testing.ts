import type { Interaction } from '../../schemas/index.ts';
import type { LogEvent } from './log-events.ts';

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

/** A session of purchases: `bought('s1', 'ABC')` is A, then B, then C. */
export function bought(sessionId: string, items: Iterable<string>): LogEvent[] {
  return [...items].map((productId) => event({ sessionId, productId }));
}

export function viewed(sessionId: string, items: Iterable<string>): LogEvent[] {
  return [...items].map((productId) => event({ sessionId, productId, type: 'view' }));
}
