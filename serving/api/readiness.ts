import type { MillraceError } from '../../schemas/index.ts';
import type { PartitionLag } from '../host/messages.ts';

/**
 * Whether look-ups may be sent here: the stores have been published, the topology runs, and it has once processed what
 * the log held when the server first looked.
 */
export class Readiness {
  #published = false;
  #failure: MillraceError | undefined;
  #goals: ReadonlyMap<string, number> | undefined;
  #caughtUp = false;

  published(): void {
    this.#published = true;
  }

  failed(error: MillraceError): void {
    this.#failure = error;
  }

  /** Takes notice of where the tasks are. */
  look(lag: readonly PartitionLag[]): void {
    this.#goals ??= new Map(lag.map((of) => [placeOf(of), of.endOffset]));
    this.#caughtUp ||= lag.every((of) => of.committedOffset >= (this.#goals?.get(placeOf(of)) ?? 0));
  }

  /** Empty when ready. */
  reasons(): string[] {
    const reasons: string[] = [];
    if (!this.#published) reasons.push('The stores have not been read yet.');
    if (this.#failure !== undefined) {
      reasons.push(`The topology has stopped: ${this.#failure.code}: ${this.#failure.message}`);
    } else if (!this.#caughtUp) reasons.push('The topology works through what the log held when the server started.');
    return reasons;
  }
}

function placeOf({ task, topic, partition }: PartitionLag): string {
  return `${task} ${topic}/${partition}`;
}
