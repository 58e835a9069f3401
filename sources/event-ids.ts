/**
 * Ids of events in files that give them none: the same whenever the file is read again, and different for equal events of it.
 *
 *     eventId  the first 12 bytes of SHA-256 of the event's text, then the ordinal u32 BE among equal texts: 32 hex digits
 *
 * One `EventIds` is one pass over one file. What the text is, a format says.
 */
import { hash } from 'node:crypto';
import { LineOrdinals } from './line-ordinals.ts';

export class EventIds {
  readonly #ordinals = new LineOrdinals();

  /** Takes an ordinal: ask only for what will be an event. */
  next(text: string): string {
    const digest = hash('sha256', text, 'hex');
    return digest.slice(0, 24) + this.#ordinals.nextOf(digest).toString(16).padStart(8, '0');
  }
}
