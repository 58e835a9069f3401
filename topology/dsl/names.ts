import { topologyInvalid } from '../graph/topology-invalid.ts';

/**
 * Names of what was not named: one counter for nodes and stores, as in Kafka Streams. Some operators take a number that
 * they don't use, because an older Kafka Streams used it and names have to stay; those places say so.
 */
export class NameCounter {
  #next = 0;

  /** `KSTREAM-FILTER-0000000003` */
  processorName(prefix: string): string {
    const name = `${prefix}${String(this.#next).padStart(10, '0')}`;
    this.#next += 1;
    return name;
  }

  /** `KSTREAM-AGGREGATE-STATE-STORE-0000000003` */
  storeName(prefix: string): string {
    return this.processorName(`${prefix}STATE-STORE-`);
  }

  given(name: string | undefined, prefix: string): string {
    return name === undefined ? this.processorName(prefix) : checkedName(name);
  }
}

/** A name becomes part of a topic's name, so a topic's rules hold. */
export function checkedName(name: string): string {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
    throw topologyInvalid(
      `A name wants 1 to 249 characters of [a-zA-Z0-9._-], and not '.' or '..'; found '${name}' (${name.length})`,
      { name },
    );
  }
  return name;
}
