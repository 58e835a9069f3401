import { readFileSync } from 'node:fs';
import type { AvroSchema } from './registry.ts';
import { clip, isCurrency, isIntegerWithin, isText, shown, wantsText, type InvalidField } from './validated-field.ts';

export const interactionTypes = ['view', 'cart', 'purchase', 'return', 'favorite', 'remove', 'rating'] as const;

export type InteractionType = (typeof interactionTypes)[number];

/** What a visitor did with a product: the value of the topic `interactions`. The schema is `interaction.avsc`. */
export interface Interaction {
  /** Chosen by the producer; the same id again is the same event. 1..200 characters. */
  readonly eventId: string;
  /** A user or a session is named, or both. */
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly productId: string;
  readonly type: InteractionType;
  /** Pieces, 1..1e9, also of a return. */
  readonly quantity: number;
  /** Of one piece, in 1/10,000 of the currency. 0 or more; quantity × price is a safe integer. */
  readonly price: number;
  /** ISO 4217, three capitals. */
  readonly currency: string | null;
  /** When it happened, ms since epoch. */
  readonly timestamp: number;
  /** The product's description, where it came with the event: sources without a catalogue. */
  readonly title: string | null;
  /** A charge such as postage: counted in statistics, never paired or recommended. */
  readonly service: boolean;
}

export const interactionSchema = JSON.parse(
  readFileSync(new URL('./interaction.avsc', import.meta.url), 'utf8'),
) as AvroSchema;

export const interactionLimits = {
  idCharsMax: 200,
  titleCharsMax: 4096,
  quantityMax: 1e9,
  /** Of quantity × price: the largest long that avsc writes, and a sum that stays exact. */
  amountMax: Number.MAX_SAFE_INTEGER - 1,
  /** How far a producer's clock may be ahead of ours. */
  aheadMsMax: 5 * 60_000,
} as const;

/**
 * The one gate for interactions, shared by every way in and by the cleanse step.
 *
 * Gives a plain object with all fields, in the schema's order; a field that was left out has the schema's default.
 * Otherwise the first field that breaks a rule. Nothing is coerced: `"3"` is not a quantity, an unknown field is refused.
 *
 *     validateInteraction({ eventId: 'e1', userId: 'u1', productId: 'p1', type: 'view', timestamp: 0, quantity: 0 }, now)
 *     // { field: 'quantity', reason: 'wants an integer 1..1000000000, found 0' }
 */
export function validateInteraction(value: unknown, nowMs: number): Interaction | InvalidField {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { field: '', reason: `wants an object, found ${shown(value)}` };
  }
  const input = value as Readonly<Record<keyof Interaction, unknown>>;
  for (const field of Object.keys(input)) {
    if (!fields.has(field)) return { field: clip(field), reason: 'is not a field of an interaction' };
  }

  const eventId = input.eventId;
  if (!isText(eventId, 1, interactionLimits.idCharsMax)) return wantsText('eventId', idRule, eventId);
  const userId = input.userId ?? null;
  if (userId !== null && !isText(userId, 1, interactionLimits.idCharsMax)) return wantsText('userId', idRule, userId);
  const sessionId = input.sessionId ?? null;
  if (sessionId !== null && !isText(sessionId, 1, interactionLimits.idCharsMax)) {
    return wantsText('sessionId', idRule, sessionId);
  }
  if (userId === null && sessionId === null)
    return { field: 'userId', reason: 'wants a userId or a sessionId, found neither' };
  const productId = input.productId;
  if (!isText(productId, 1, interactionLimits.idCharsMax)) return wantsText('productId', idRule, productId);

  const type = input.type;
  if (!isInteractionType(type)) {
    return { field: 'type', reason: `wants one of ${interactionTypes.join(', ')}; found ${shown(type)}` };
  }
  const quantity = input.quantity === undefined ? 1 : input.quantity;
  if (!isIntegerWithin(quantity, 1, interactionLimits.quantityMax)) {
    return {
      field: 'quantity',
      reason: `wants an integer 1..${interactionLimits.quantityMax}, found ${shown(quantity)}`,
    };
  }
  const price = input.price === undefined ? 0 : input.price;
  if (!isIntegerWithin(price, 0, interactionLimits.amountMax)) {
    return { field: 'price', reason: `wants a safe integer of 1/10,000, 0 or more, found ${shown(price)}` };
  }
  if (quantity * price > interactionLimits.amountMax) {
    return { field: 'price', reason: `wants quantity × price within ±2^53, found ${quantity} × ${price}` };
  }
  const currency = input.currency ?? null;
  if (currency !== null && !isCurrency(currency)) {
    return { field: 'currency', reason: `wants three capitals or null, found ${shown(currency)}` };
  }
  const timestamp = input.timestamp;
  if (!isIntegerWithin(timestamp, 0, Number.MAX_SAFE_INTEGER)) {
    return { field: 'timestamp', reason: `wants integer ms since epoch, found ${shown(timestamp)}` };
  }
  if (timestamp > nowMs + interactionLimits.aheadMsMax) {
    return {
      field: 'timestamp',
      reason: `wants at most ${interactionLimits.aheadMsMax} ms ahead of the clock, found ${timestamp - nowMs} ms`,
    };
  }
  const title = input.title ?? null;
  if (title !== null && !isText(title, 0, interactionLimits.titleCharsMax)) {
    return wantsText('title', `text of at most ${interactionLimits.titleCharsMax} characters or null`, title);
  }
  const service = input.service === undefined ? false : input.service;
  if (typeof service !== 'boolean') return { field: 'service', reason: `wants true or false, found ${shown(service)}` };

  return { eventId, userId, sessionId, productId, type, quantity, price, currency, timestamp, title, service };
}

/** In the schema's order. */
export const interactionFields = [
  'eventId',
  'userId',
  'sessionId',
  'productId',
  'type',
  'quantity',
  'price',
  'currency',
  'timestamp',
  'title',
  'service',
] as const satisfies readonly (keyof Interaction)[];
const fields: ReadonlySet<string> = new Set(interactionFields);
const types: ReadonlySet<unknown> = new Set(interactionTypes);
const idRule = `text of 1..${interactionLimits.idCharsMax} characters`;

function isInteractionType(value: unknown): value is InteractionType {
  return types.has(value);
}
