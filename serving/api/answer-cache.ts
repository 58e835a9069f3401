import type { LookupView } from '../view/lookup-view.ts';

/**
 * Serialised answers of look-ups by request target (`/v1/products/85123A/similar?limit=5`), kept until readers see the next
 * publication: a look-up that was answered already costs no more than a map look-up. Bounded by bytes; when it is
 * full it starts again empty.
 */
export class AnswerCache {
  readonly #bytesMax: number;
  readonly #answers = new Map<string, Buffer>();
  #bytes = 0;

  constructor(view: LookupView, bytesMax: number) {
    this.#bytesMax = bytesMax;
    view.onApplied(() => this.#clear());
  }

  get(target: string): Buffer | undefined {
    return this.#answers.get(target);
  }

  /** Keeps an answer to a target; gives it as bytes. */
  put(target: string, text: string): Buffer {
    const answer = Buffer.from(text);
    if (this.#bytes > this.#bytesMax) this.#clear();
    this.#answers.set(target, answer);
    this.#bytes += answer.length + 2 * target.length + overheadBytes;
    return answer;
  }

  #clear(): void {
    this.#answers.clear();
    this.#bytes = 0;
  }
}

const overheadBytes = 200;
