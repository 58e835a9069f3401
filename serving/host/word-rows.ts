import { levelOfCode } from '../../processors/index.ts';
import { compareBytes, concatBytes, keyAfter, prefixEnd, type EngineSnapshot } from '../../state/index.ts';

/**
 * Rows of `title-words` in one partition, as lists that are read forward in pages. What stands behind `<word>/` in their
 * keys is here called a place, `| level | product id |`: every word has its places in that order.
 */
export interface PlaceList {
  /** Whether the next place needs no reading. */
  readonly isRead: boolean;
  /** Reads until it is so. */
  read(): Promise<void>;
  /** The next place, once it is read; undefined: there is none any more. */
  readonly head: Uint8Array | undefined;
  /** Goes on behind the head. */
  pass(): void;
  /** The place that is known up to; undefined: all of it is known. Of two lists the rarer one is known further. */
  readonly reach: Uint8Array | undefined;
}

export interface WordReader {
  readonly snapshot: EngineSnapshot;
  /** Of the store's partition. */
  readonly prefix: Uint8Array;
  readonly keys: KeyBudget;
}

/** How many keys of the store a question may read. */
export class KeyBudget {
  #left: number;

  constructor(keys: number) {
    this.#left = keys;
  }

  get spent(): boolean {
    return this.#left <= 0;
  }

  take(keys: number): void {
    this.#left -= keys;
  }
}

/** The places of one word. */
export class WordRows implements PlaceList {
  readonly word: string;
  readonly #reader: WordReader;
  readonly #start: Uint8Array;
  #page: readonly Uint8Array[] = [];
  #at = 0;
  #pageRows: number;
  #ended = false;

  constructor(reader: WordReader, word: string, pageRows: number) {
    this.word = word;
    this.#reader = reader;
    this.#start = concatBytes(reader.prefix, wordStart(word));
    this.#pageRows = pageRows;
  }

  get head(): Uint8Array | undefined {
    return this.#page[this.#at];
  }

  get reach(): Uint8Array | undefined {
    return this.#ended ? undefined : this.#page.at(-1);
  }

  pass(): void {
    this.#at += 1;
  }

  get isRead(): boolean {
    return this.#at < this.#page.length || this.#ended;
  }

  async read(): Promise<void> {
    if (this.isRead) return;
    const { snapshot, keys } = this.#reader;
    const last = this.#page.at(-1);
    const gte = last === undefined ? this.#start : keyAfter(concatBytes(this.#start, last));
    const limit = this.#pageRows;
    const page = await keysOf(snapshot, { gte, lt: prefixEnd(this.#start), limit });
    this.#page = page.map((key) => key.subarray(this.#start.length));
    this.#at = 0;
    this.#ended = page.length < limit;
    this.#pageRows = Math.min(pageRowsMax, 2 * limit);
    keys.take(page.length + 1);
  }
}

/** The places of any of several words, each once. */
export class AnyOfWords implements PlaceList {
  readonly #lists: readonly PlaceList[];

  constructor(lists: readonly PlaceList[]) {
    this.#lists = lists;
  }

  get head(): Uint8Array | undefined {
    return least(this.#lists.map(({ head }) => head));
  }

  get reach(): Uint8Array | undefined {
    return least(this.#lists.map(({ reach }) => reach));
  }

  pass(): void {
    const first = this.head;
    if (first === undefined) return;
    for (const list of this.#lists) if (list.head !== undefined && compareBytes(list.head, first) === 0) list.pass();
  }

  get isRead(): boolean {
    return this.#lists.every(({ isRead }) => isRead);
  }

  async read(): Promise<void> {
    await Promise.all(this.#lists.filter(({ isRead }) => !isRead).map((list) => list.read()));
  }
}

/** The list that is known furthest, so with the fewest places; of those that are known whole any. */
export function rarest<List extends PlaceList>(lists: readonly List[]): List {
  return lists.reduce((best, list) => {
    if (best.reach === undefined) return best;
    return list.reach === undefined || compareBytes(list.reach, best.reach) > 0 ? list : best;
  });
}

export interface Expansion {
  readonly words: readonly string[];
  /** There are more than these. */
  readonly more: boolean;
}

/** The words that begin like this, in order, at most so many. */
export async function expand({ snapshot, prefix, keys }: WordReader, start: string, max: number): Promise<Expansion> {
  const first = concatBytes(prefix, Buffer.from(start));
  const lt = prefixEnd(first);
  const words: string[] = [];
  for (let gte: Uint8Array = first; ;) {
    if (keys.spent) return { words, more: true };
    const page = await keysOf(snapshot, { gte, lt, limit: expansionRows });
    keys.take(page.length + 1);
    for (const key of page) {
      const text = Buffer.from(key.buffer, key.byteOffset + prefix.length, key.length - prefix.length).toString();
      const word = text.slice(0, text.indexOf('/'));
      if (word === words.at(-1)) continue;
      if (words.length === max) return { words, more: true };
      words.push(word);
    }
    if (page.length < expansionRows) return { words, more: false };
    // Behind all rows of the last word: '0' is next to the slash.
    gte = concatBytes(prefix, Buffer.from(`${words.at(-1)}0`));
  }
}

/** Those of the places that each of the words has. */
export async function placesUnderAll(
  { snapshot, prefix, keys }: WordReader,
  words: readonly string[],
  places: readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
  let left = places;
  for (const word of words) {
    if (left.length === 0) break;
    const start = concatBytes(prefix, wordStart(word));
    const rows = await snapshot.getMany(
      'state',
      left.map((place) => concatBytes(start, place)),
    );
    keys.take(left.length);
    left = left.filter((_, at) => rows[at] !== undefined);
  }
  return left;
}

export function levelOfPlace(place: Uint8Array): number {
  return levelOfCode(place[0]!);
}

export function productOfPlace(place: Uint8Array): string {
  return Buffer.from(place.buffer, place.byteOffset + 1, place.length - 1).toString();
}

function wordStart(word: string): Uint8Array {
  return Buffer.from(`${word}/`);
}

function least(places: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  let first: Uint8Array | undefined;
  for (const place of places) {
    if (place !== undefined && (first === undefined || compareBytes(place, first) < 0)) first = place;
  }
  return first;
}

async function keysOf(snapshot: EngineSnapshot, range: { gte: Uint8Array; lt: Uint8Array; limit: number }) {
  const keys: Uint8Array[] = [];
  for await (const entries of snapshot.range('state', range)) {
    for (const { key } of entries) keys.push(key.slice());
  }
  return keys;
}

const expansionRows = 64;
const pageRowsMax = 512;
