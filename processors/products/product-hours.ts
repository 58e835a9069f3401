import type { Interaction } from '../../schemas/index.ts';
import { hourOfMonth, type MonthOfHours } from '../hours/month-of-hours.ts';
import { exactSum, quantityOf, revenueOf } from './amount.ts';

/** Hours hold events of any type but favorite, remove and rating. */
export function countsByHour({ type }: Interaction): boolean {
  return type === 'view' || type === 'cart' || type === 'purchase' || type === 'return';
}

export function addToHour(month: MonthOfHours, hour: number, event: Interaction): void {
  const row = hourOfMonth(month, hour);
  const quantity = exactSum(row.quantity, quantityOf(event), 'Quantity of an hour');
  const revenue = exactSum(row.revenue, revenueOf(event), 'Revenue of an hour');
  row.quantity = quantity;
  row.revenue = revenue;
  if (event.type === 'view') row.views += 1;
  else if (event.type === 'cart') row.carts += 1;
  else if (event.type === 'purchase') row.purchases += 1;
  else if (event.type === 'return') row.returns += 1;
}
