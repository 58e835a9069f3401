import type { FetchRequest } from '../host/messages.ts';

/** Asks the host thread for rows; a slice of them as of a commit whose publication has been received before. */
export type Fetch = (request: FetchRequest) => Promise<ArrayBuffer>;

/**
 * What look-ups have missed, on its way here: one question for all that a look-up misses, and none twice for what has been
 * asked for already.
 *
 *     want(key) ──> fetch ──> rows, through the staging queue behind the publications that came before ──> filled(key)
 */
export class Demands {
  readonly #options: DemandsOptions;
  readonly #asked = {
    items: new Map<number, Asked>(),
    titles: new Map<number, Asked>(),
    categories: new Map<number, Asked>(),
    tops: new Map<string, Asked>(),
    users: new Map<string, Asked>(),
  };

  constructor(options: DemandsOptions) {
    this.#options = options;
  }

  /** Resolves when all of it is here. @throws what `fetch` throws */
  async fetch({ items, titles, categories, tops, users }: Missing): Promise<void> {
    const { caches, id } = this.#options;
    const waits = new Set<Asked>();
    const wanted: Wanted = {
      items: wantedOf(items, this.#asked.items, caches.items, waits),
      titles: wantedOf(titles, this.#asked.titles, caches.titles, waits),
      categories: wantedOf(categories, this.#asked.categories, caches.categories, waits),
      tops: wantedOf(tops, this.#asked.tops, caches.tops, waits),
      users: wantedOf(users, this.#asked.users, caches.users, waits),
    };
    if (Object.values(wanted).some(({ length }) => length > 0)) {
      const asked = this.#ask(wanted, {
        pairsOf: wanted.items.map(id),
        titlesOf: wanted.titles.map(id),
        categoriesOf: wanted.categories.map(id),
        topsOf: wanted.tops,
        users: wanted.users,
      });
      for (const item of wanted.items) this.#asked.items.set(item, asked);
      for (const item of wanted.titles) this.#asked.titles.set(item, asked);
      for (const item of wanted.categories) this.#asked.categories.set(item, asked);
      for (const category of wanted.tops) this.#asked.tops.set(category, asked);
      for (const user of wanted.users) this.#asked.users.set(user, asked);
      waits.add(asked);
    }
    await Promise.all(waits);
  }

  async #ask(wanted: Wanted, request: FetchRequest): Promise<void> {
    const { fetch, arrived } = this.#options;
    try {
      const slice = await fetch(request);
      await new Promise<void>((resolve) => {
        arrived(slice, () => {
          this.#settle(wanted, 'filled');
          resolve();
        });
      });
    } catch (error) {
      this.#settle(wanted, 'giveUp');
      throw error;
    }
  }

  #settle({ items, titles, categories, tops, users }: Wanted, how: 'filled' | 'giveUp'): void {
    const { caches } = this.#options;
    for (const item of items) this.#asked.items.delete(item);
    for (const item of titles) this.#asked.titles.delete(item);
    for (const item of categories) this.#asked.categories.delete(item);
    for (const category of tops) this.#asked.tops.delete(category);
    for (const user of users) this.#asked.users.delete(user);
    for (const item of items) caches.items[how](item);
    for (const item of titles) caches.titles[how](item);
    for (const item of categories) caches.categories[how](item);
    for (const category of tops) caches.tops[how](category);
    for (const user of users) caches.users[how](user);
  }
}

/** What a look-up has asked of the view and not found. */
export interface Missing {
  readonly items: Set<number>;
  readonly titles: Set<number>;
  readonly categories: Set<number>;
  readonly tops: Set<string>;
  readonly users: Set<string>;
}

export interface DemandsOptions {
  readonly fetch: Fetch;
  readonly caches: {
    readonly items: Loading<number>;
    readonly titles: Loading<number>;
    readonly categories: Loading<number>;
    readonly tops: Loading<string>;
    readonly users: Loading<string>;
  };
  readonly id: (item: number) => string;
  /** Takes the rows; calls back when they are in the caches. */
  readonly arrived: (slice: ArrayBuffer, filled: () => void) => void;
}

interface Loading<K> {
  want(key: K): void;
  filled(key: K): void;
  giveUp(key: K): void;
}

interface Wanted {
  readonly items: readonly number[];
  readonly titles: readonly number[];
  readonly categories: readonly number[];
  readonly tops: readonly string[];
  readonly users: readonly string[];
}

type Asked = Promise<void>;

function wantedOf<K>(
  missing: ReadonlySet<K>,
  asked: ReadonlyMap<K, Asked>,
  cache: Loading<K>,
  waits: Set<Asked>,
): readonly K[] {
  const wanted: K[] = [];
  for (const key of missing) {
    const already = asked.get(key);
    if (already !== undefined) waits.add(already);
    else {
      cache.want(key);
      wanted.push(key);
    }
  }
  return wanted;
}
