import type { Database } from './database.ts';
import { type EventRelation, eventRelations, type MarginalRow, type PairTotalsRow } from './rows.ts';

export function marginalKey(relation: EventRelation, item: string): string {
  return `${relation} ${item}`;
}

/** n[r][i]: the sessions in which an item stands with a relation. */
export async function marginals(database: Database): Promise<Map<string, MarginalRow>> {
  const found = new Map<string, MarginalRow>();
  const sql = `
    SELECT relation, product_id, count(DISTINCT session)::DOUBLE FROM sequences JOIN items USING (item)
    GROUP BY relation, product_id`;
  for await (const [relation, item, sessions] of database.rows<[EventRelation, string, number]>(sql)) {
    found.set(marginalKey(relation, item), { relation, item, sessions });
  }
  return found;
}

export const reminderPositions = 10;

/** Sessions of each relation, and how often the next item was one of the last ten distinct ones. */
export async function pairTotals(database: Database): Promise<Map<EventRelation, PairTotalsRow>> {
  const counters = { viewed: new Reminders(), bought: new Reminders(), cart: new Reminders() };
  const sql = 'SELECT session, relation, item FROM sequences ORDER BY relation, session, position';
  for await (const [session, relation, item] of database.rows<[number, EventRelation, number]>(sql)) {
    counters[relation].add(session, item);
  }
  const found = new Map<EventRelation, PairTotalsRow>();
  for (const relation of eventRelations) {
    const { sessions, rep, repN } = counters[relation];
    if (sessions > 0) found.set(relation, { relation, sessions, rep, repN });
  }
  return found;
}

/** Reminder counts of one relation. Takes the sequences one after the other, each in its order. */
export class Reminders {
  sessions = 0;
  readonly rep: number[] = Array.from({ length: reminderPositions }, () => 0);
  readonly repN: number[] = Array.from({ length: reminderPositions }, () => 0);
  #session: number | undefined;
  /** Distinct items, the one seen last in front. Ten are enough: position 11 counts nowhere. */
  #newest: number[] = [];

  add(session: number, item: number): void {
    if (session !== this.#session) {
      this.#session = session;
      this.#newest = [];
      this.sessions += 1;
    }
    for (let k = 0; k < this.#newest.length; k++) this.repN[k]! += 1;
    const at = this.#newest.indexOf(item);
    if (at !== -1) {
      this.rep[at]! += 1;
      this.#newest.splice(at, 1);
    }
    this.#newest.unshift(item);
    if (this.#newest.length > reminderPositions) this.#newest.pop();
  }
}
