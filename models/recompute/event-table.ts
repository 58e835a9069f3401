import type { Database } from './database.ts';

/**
 * The table in which both inputs meet. `arrived` holds what was read, in log order; `events` what cleansing keeps.
 *
 *     seq          log order; within a partition, so within a session, it only rises
 *     event_order  the event id spelled so that DuckDB's byte order is the code unit order of JavaScript
 *     session_key  's:' || session id, else 'u:' || user id
 */
export async function createEventTable(database: Database): Promise<void> {
  await database.run(`
    CREATE TYPE interaction AS ENUM ('view', 'cart', 'purchase', 'return', 'favorite', 'remove', 'rating');
    CREATE TABLE arrived (
      seq BIGINT, partition INTEGER, event_id VARCHAR, event_order VARCHAR, user_id VARCHAR, session_key VARCHAR,
      product_id VARCHAR, type interaction, quantity BIGINT, price BIGINT, ts BIGINT, title VARCHAR, service BOOLEAN
    )`);
}

/**
 * Spells an id so that the order of its UTF-8 bytes is the order of the UTF-16 code units of the original. They differ
 * only where a character outside the BMP (units D800..DFFF) meets one at E000..FFFF: each such unit moves to a code
 * point of its own above all others, in their order. The result is compared, never shown.
 */
export function codeUnitOrder(id: string): string {
  if (!/[\ud800-\uffff]/.test(id)) return id;
  let spelled = '';
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at);
    spelled += unit < 0xd800 ? id[at] : String.fromCodePoint(0x10000 + unit);
  }
  return spelled;
}
