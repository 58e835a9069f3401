/** A counter that only grows; hot paths keep the object and write `counter.value += 1`. */
export interface Counter {
  value: number;
}

/** Counters by name and label, e.g. `dropped-records{node="filter",reason="null-key"}`. Not part of any commit. */
export class Metrics {
  readonly #counters = new Map<string, Counter>();

  counter(name: string, labels: { readonly [label: string]: string } = {}): Counter {
    const id = idOf(name, labels);
    let counter = this.#counters.get(id);
    if (counter === undefined) {
      counter = { value: 0 };
      this.#counters.set(id, counter);
    }
    return counter;
  }

  /** A value that goes up and down. */
  gauge(name: string, labels: { readonly [label: string]: string } = {}): Counter {
    return this.counter(name, labels);
  }

  /** What a gauge told of is no more. */
  forget(name: string, labels: { readonly [label: string]: string } = {}): void {
    this.#counters.delete(idOf(name, labels));
  }

  /** Sum over all labels of a name. */
  total(name: string): number {
    let sum = 0;
    for (const [id, counter] of this.#counters) if (id === name || id.startsWith(`${name}{`)) sum += counter.value;
    return sum;
  }

  snapshot(): { readonly [id: string]: number } {
    return Object.fromEntries([...this.#counters].map(([id, counter]) => [id, counter.value]));
  }
}

function idOf(name: string, labels: { readonly [label: string]: string }): string {
  const text = Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(',');
  return text === '' ? name : `${name}{${text}}`;
}
