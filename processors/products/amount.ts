import { MillraceError, type Interaction } from '../../schemas/index.ts';

/**
 * What an event adds to quantity and revenue: a purchase adds, a return takes off, others add nothing.
 * Money is in 1/10,000 of the currency.
 */
export function quantityOf({ type, quantity }: Interaction): number {
  if (type === 'purchase') return quantity;
  return type === 'return' ? -quantity : 0;
}

export function revenueOf(event: Interaction): number {
  return quantityOf(event) * event.price;
}

/** A sum that must stay exact: an event that takes it beyond ±2^52 is refused, before anything is changed. */
export function exactSum(sum: number, amount: number, what: string): number {
  const result = sum + amount;
  if (Math.abs(result) > exactMax) {
    throw new MillraceError('INVALID_EVENT', `${what} wants a sum within ±2^52, found ${result}`, {
      sum,
      amount,
    });
  }
  return result;
}

const exactMax = 2 ** 52 - 1;
