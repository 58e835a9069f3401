import { eventIdentity, shopTopics } from '../../processors/index.ts';
import { isInvalidField, validateInteraction, type Interaction, type Serde } from '../../schemas/index.ts';
import { eventRecord } from '../../sources/index.ts';
import type { Intake } from './record-intake.ts';

/** Events into `interactions`, with the key of their session. An event without a timestamp happened when it arrived. */
export function eventIntake(serde: Serde<Interaction>, partitions: number): Intake {
  return {
    kind: 'events',
    route: 'POST /v1/events',
    one: 'an event',
    topic: shopTopics.interactions,
    unknownField: 'is not a field of an interaction',
    judge(value, { nowMs, makeId }) {
      const event = validateInteraction(completed(value, makeId, nowMs), nowMs);
      if (isInvalidField(event)) return event;
      return { record: eventRecord(event, serde, partitions), identity: eventIdentity(event) };
    },
  };
}

function completed(value: unknown, makeId: () => string, nowMs: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { eventId, timestamp } = value as { eventId?: unknown; timestamp?: unknown };
  if (eventId !== undefined && timestamp !== undefined) return value;
  return {
    ...value,
    eventId: eventId === undefined ? makeId() : eventId,
    timestamp: timestamp === undefined ? nowMs : timestamp,
  };
}
