import type { Interaction } from '../../schemas/index.ts';

/**
 * What makes two events the same one: the event id, from the same user in the same session. A retry names all three, while
 * the same id from somebody else is another event; so what one user sends decides nothing of another's.
 */
export function eventIdentity({ eventId, userId, sessionId }: Pick<Interaction, 'eventId' | 'userId' | 'sessionId'>) {
  const from = sessionId === null ? `u:${userId}` : `s:${sessionId.length}:${sessionId}${userId ?? ''}`;
  return `${eventId.length}:${eventId}${from}`;
}
