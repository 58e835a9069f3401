import type { Interaction } from '../schemas/index.ts';

/**
 * The record key in the topic `interactions`, and so what keeps its order: `s:<sessionId>`, or `u:<userId>` for an
 * event without a session. The prefix keeps a session and a user with the same id apart.
 */
export function interactionKey(event: Pick<Interaction, 'sessionId' | 'userId'>): string {
  if (event.sessionId !== null) return `s:${event.sessionId}`;
  return `u:${event.userId}`;
}
