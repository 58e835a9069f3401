import type { Interaction } from '../../schemas/index.ts';

/** How two items of a session belong together: both were viewed, or both were bought. */
export type Relation = 'viewed' | 'bought';

export const relations = ['viewed', 'bought'] as const satisfies readonly Relation[];

/** 0 viewed, 1 bought: the lowest bit of a pair row's number, and the byte in messages and rows. */
export function relationCode(relation: Relation): 0 | 1 {
  return relation === 'viewed' ? 0 : 1;
}

/** The relation an event takes part in; undefined when it takes part in none. */
export function relationOf(event: Interaction): Relation | undefined {
  if (event.service) return undefined;
  if (event.type === 'view') return 'viewed';
  return event.type === 'purchase' ? 'bought' : undefined;
}
