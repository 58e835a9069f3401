import type { Interaction } from '../../schemas/index.ts';

/**
 * The record key of `interactions`: events of one session share it, so they share a partition.
 * `s:<sessionId>`, or `u:<userId>` where the event names no session.
 */
export function sessionKey(event: Pick<Interaction, 'sessionId' | 'userId'>): string {
  return event.sessionId === null ? `u:${event.userId}` : `s:${event.sessionId}`;
}
