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
  readonly #epoch: () => number;
  readonly #fetch: Fetch;
  readonly #id: (item: number) => string;
  readonly #arrived: DemandsOptions['arrived'];
  readonly #of: { readonly [Kind in keyof Missing]: Demand<KeyOf<Kind>> };

  constructor({ fetch, caches, id, arrived, epoch }: DemandsOptions) {
    this.#epoch = epoch;
    this.#fetch = fetch;
    this.#id = id;
    this.#arrived = arrived;
    this.#of = {
      products: new Demand(caches.products),
      names: new Demand(caches.names),
      items: new Demand(caches.items),
      titles: new Demand(caches.titles),
      categories: new Demand(caches.categories),
      tops: new Demand(caches.tops),
      users: new Demand(caches.users),
    };
  }

  /** Resolves when all of it is here. @throws what `fetch` throws */
  async fetch(missing: Missing): Promise<void> {
    const waits = new Set<Asked>();
    const { products, names, items, titles, categories, tops, users } = this.#of;
    const wanted = {
      products: products.want(missing.products, waits),
      names: names.want(missing.names, waits),
      items: items.want(missing.items, waits),
      titles: titles.want(missing.titles, waits),
      categories: categories.want(missing.categories, waits),
      tops: tops.want(missing.tops, waits),
      users: users.want(missing.users, waits),
    };
    const all = Object.values(wanted);
    if (all.some(({ keys }) => keys.length > 0)) {
      const asked = this.#ask(all, {
        productsOf: wanted.products.keys,
        namesOf: wanted.names.keys.map(placeOfName),
        pairsOf: wanted.items.keys.map(this.#id),
        titlesOf: wanted.titles.keys.map(this.#id),
        categoriesOf: wanted.categories.keys.map(this.#id),
        topsOf: wanted.tops.keys,
        users: wanted.users.keys,
      });
      for (const of of all) of.asked(asked);
      waits.add(asked);
    }
    await Promise.all(waits);
  }

  async #ask(wanted: readonly Wanted<unknown>[], request: FetchRequest): Promise<void> {
    const epoch = this.#epoch();
    try {
      const slice = await this.#fetch(request);
      await new Promise<void>((resolve) => {
        const settle = (how: 'filled' | 'giveUp'): void => {
          for (const of of wanted) of.settle(how);
          resolve();
        };
        this.#arrived({ slice, epoch, settle });
      });
    } catch (error) {
      for (const of of wanted) of.settle('giveUp');
      throw error;
    }
  }
}

/** What a look-up has asked of the view and not found. */
export interface Missing {
  /** Ids: the facts of item-facts.ts. */
  readonly products: Set<string>;
  /** Numbers of partitions, as `nameKey` puts them together. */
  readonly names: Set<number>;
  readonly items: Set<number>;
  readonly titles: Set<number>;
  readonly categories: Set<number>;
  readonly tops: Set<string>;
  readonly users: Set<string>;
}

export function nameKey(partition: number, number: number): number {
  return partition * numbersMax + number;
}

function placeOfName(key: number): { readonly partition: number; readonly number: number } {
  return { partition: Math.floor(key / numbersMax), number: key % numbersMax };
}

const numbersMax = 2 ** 32;

type KeyOf<Kind extends keyof Missing> = Missing[Kind] extends Set<infer K> ? K : never;

export interface DemandsOptions {
  readonly fetch: Fetch;
  readonly caches: { readonly [Kind in keyof Missing]: Loading<KeyOf<Kind>> };
  readonly id: (item: number) => string;
  /** Changes with the generation: what was asked for in another one is no answer any more. */
  readonly epoch: () => number;
  /** Takes the rows; says when they are in the caches, or that they are no answer any more. */
  readonly arrived: (answer: ArrivedAnswer) => void;
}

export interface ArrivedAnswer {
  readonly slice: ArrayBuffer;
  /** In which it was asked for. */
  readonly epoch: number;
  readonly settle: (how: 'filled' | 'giveUp') => void;
}

interface Loading<K> {
  want(key: K): void;
  filled(key: K): void;
  giveUp(key: K): void;
}

type Asked = Promise<void>;

/** The keys of one cache that are on their way, each with the question that it is part of. */
class Demand<K> {
  readonly #cache: Loading<K>;
  readonly #asked = new Map<K, Asked>();

  constructor(cache: Loading<K>) {
    this.#cache = cache;
  }

  /** What nobody has asked for yet; what somebody has is waited for. */
  want(missing: ReadonlySet<K>, waits: Set<Asked>): Wanted<K> {
    const keys: K[] = [];
    for (const key of missing) {
      const already = this.#asked.get(key);
      if (already !== undefined) waits.add(already);
      else {
        this.#cache.want(key);
        keys.push(key);
      }
    }
    return {
      keys,
      asked: (asked) => {
        for (const key of keys) this.#asked.set(key, asked);
      },
      settle: (how) => {
        for (const key of keys) this.#asked.delete(key);
        for (const key of keys) this.#cache[how](key);
      },
    };
  }
}

interface Wanted<K> {
  readonly keys: readonly K[];
  asked(asked: Asked): void;
  settle(how: 'filled' | 'giveUp'): void;
}
