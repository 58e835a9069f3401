import { MillraceError, type Interaction } from '../../schemas/index.ts';

/**
 * How two items of a session belong together: both were viewed, bought or put into a cart; or one was viewed and the
 * other bought later.
 *
 * The first three are of one type of event each, and have marginals, totals and reminders. `viewed-bought` crosses two of
 * them and has pairs only: its sums are those of `viewed` and `bought`.
 */
export type Relation = EventRelation | 'viewed-bought';
export type EventRelation = 'viewed' | 'bought' | 'cart';

/** By code: 0 viewed, 1 bought, 2 cart, 3 viewed-bought; in the number of a pair row, and in messages and rows. */
export const relations = ['viewed', 'bought', 'cart', 'viewed-bought'] as const satisfies readonly Relation[];
/** By code, too. */
export const eventRelations = ['viewed', 'bought', 'cart'] as const satisfies readonly EventRelation[];

export type RelationCode = 0 | 1 | 2 | 3;
export type EventRelationCode = 0 | 1 | 2;

export function relationCode(relation: EventRelation): EventRelationCode;
export function relationCode(relation: Relation): RelationCode;
export function relationCode(relation: Relation): RelationCode {
  if (relation === 'viewed') return 0;
  if (relation === 'bought') return 1;
  return relation === 'cart' ? 2 : 3;
}

/** @throws MillraceError `DESERIALIZATION_FAILED` for a code of none of them */
export function eventRelationOf(code: number): EventRelation {
  const relation = eventRelations[code];
  if (relation !== undefined) return relation;
  throw new MillraceError('DESERIALIZATION_FAILED', `A relation of events wants a code 0..2, found ${code}`, {
    found: code,
  });
}

/** The relation an event takes part in; undefined when it takes part in none. */
export function relationOf(event: Interaction): EventRelation | undefined {
  if (event.service) return undefined;
  if (event.type === 'view') return 'viewed';
  if (event.type === 'purchase') return 'bought';
  return event.type === 'cart' ? 'cart' : undefined;
}
