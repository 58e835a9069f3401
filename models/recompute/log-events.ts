import { BIGINT, BOOLEAN, type DuckDBType, type DuckDBValue, INTEGER, VARCHAR } from '@duckdb/node-api';
import { isInvalidField, validateInteraction } from '../../schemas/index.ts';
import type { Database } from './database.ts';
import { codeUnitOrder } from './event-table.ts';
import type { Rows } from './rows.ts';

/** A record of the topic `interactions`: the value as it was decoded, null when it could not be. */
export interface LogEvent {
  readonly partition: number;
  readonly value: unknown;
}

/**
 * Takes events that stand in a log already, each partition in its order. What is no interaction is counted and left
 * out; what that is, `schemas/` says, for this side as for the other: the schema is what both agree on beforehand.
 * The clock is not asked: it is no fact of the log.
 */
export async function readLog(database: Database, events: Rows<LogEvent>): Promise<{ read: number; invalid: number }> {
  await database.run('CREATE TABLE spelled AS SELECT * REPLACE (type::VARCHAR AS type) FROM arrived');
  let read = 0;
  let invalid = 0;
  await database.append('spelled', columnTypes, usable());
  await database.run('INSERT INTO arrived SELECT * FROM spelled; DROP TABLE spelled');
  return { read, invalid };

  async function* usable(): AsyncGenerator<DuckDBValue[]> {
    for await (const { partition, value } of events) {
      read += 1;
      const event = validateInteraction(value, Number.POSITIVE_INFINITY);
      if (isInvalidField(event)) {
        invalid += 1;
        continue;
      }
      yield [
        ...[BigInt(read), partition, event.eventId, codeUnitOrder(event.eventId), event.userId],
        ...[event.sessionId === null ? `u:${event.userId}` : `s:${event.sessionId}`, event.productId, event.type],
        ...[BigInt(event.quantity), BigInt(event.price), BigInt(event.timestamp), event.title, event.service],
      ];
    }
  }
}

const columnTypes: readonly DuckDBType[] = [
  ...[BIGINT, INTEGER, VARCHAR, VARCHAR, VARCHAR, VARCHAR, VARCHAR, VARCHAR],
  ...[BIGINT, BIGINT, BIGINT, VARCHAR, BOOLEAN],
];
