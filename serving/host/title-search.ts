import {
  newProductStats,
  queryWords,
  shownTitle,
  storeNames,
  storeSerdes,
  titleWords,
  type QueryWords,
} from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { compareBytes, concatBytes, type EngineSnapshot } from '../../state/index.ts';
import type { FoundProduct, SearchAnswer, SearchRequest } from './messages.ts';
import {
  AnyOfWords,
  expand,
  KeyBudget,
  levelOfPlace,
  placesUnderAll,
  productOfPlace,
  rarest,
  WordRows,
  type PlaceList,
  type WordReader,
} from './word-rows.ts';

/**
 * Products whose titles have all words of a query, its last one perhaps begun only (docs/architecture/serving.md, "Search").
 *
 *     red la  ─>  red ───────────────────────┐  the rarer list is read,      ─> rows of products ─> ranked
 *                 la… ─ lace + lamp + lamps ─┘  the others are asked for it
 *
 * Places come from the most popular level down, so what comes later ranks lower: the search ends with the level that fills
 * the answer. Within the lowest one all are equal but for their ids, which is the order they come in.
 */
export async function titleSearch(
  snapshot: EngineSnapshot,
  request: SearchRequest,
  { partitions, partitionsHere, prefixOf, bounds = searchBounds }: SearchContext,
): Promise<SearchAnswer> {
  const words = queryWords(request.query);
  if (words === undefined) {
    const message = `A search wants a word of letters or digits, found '${request.query}'.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { field: 'q' });
  }
  const products: RankedProduct[] = [];
  let truncated = false;
  for (const partition of partitionsHere) {
    const search = new PartitionSearch(snapshot, request, {
      words,
      prefixOf: (store) => prefixOf(store, partition),
      bounds: divided(bounds, partitions),
    });
    products.push(...(await search.run()));
    truncated ||= search.truncated;
  }
  products.sort(byRank);
  return { products: products.slice(0, request.limit).map(({ product }) => product), truncated };
}

/** Of several instances, each of which has searched its partitions. */
export function mergedSearches(answers: readonly SearchAnswer[], limit: number): SearchAnswer {
  const ranked = answers.flatMap(({ products }) =>
    products.map((product) => ({ product, id: Buffer.from(product.id) })),
  );
  return {
    products: ranked
      .toSorted(byRank)
      .slice(0, limit)
      .map(({ product }) => product),
    truncated: answers.some(({ truncated }) => truncated),
  };
}

export interface SearchContext {
  /** All instances' together: the bounds are divided among them. */
  readonly partitions: number;
  readonly partitionsHere: readonly number[];
  readonly prefixOf: (store: string, partition: number) => Uint8Array;
  readonly bounds?: SearchBounds;
}

export interface SearchBounds {
  /** Of `title-words`, that are read. */
  readonly keysMax: number;
  /** Products that are looked at. */
  readonly candidatesMax: number;
  /** Words that the last one of a query may stand for, in each partition. */
  readonly wordsMax: number;
  /** The same where there are other words to go by. */
  readonly besideWordsMax: number;
}

export const searchBounds: SearchBounds = {
  keysMax: 20_000,
  candidatesMax: 2_000,
  wordsMax: 128,
  besideWordsMax: 24,
};

function divided({ keysMax, candidatesMax, ...ofWords }: SearchBounds, by: number): SearchBounds {
  return { keysMax: Math.ceil(keysMax / by), candidatesMax: Math.ceil(candidatesMax / by), ...ofWords };
}

interface PartitionContext {
  readonly words: QueryWords;
  readonly prefixOf: (store: string) => Uint8Array;
  readonly bounds: SearchBounds;
}

interface RankedProduct {
  readonly product: FoundProduct;
  /** Utf8, by which ties go. */
  readonly id: Uint8Array;
}

class PartitionSearch {
  /** There may be products, also of higher rank, that were not looked at. */
  truncated = false;
  readonly #snapshot: EngineSnapshot;
  readonly #request: SearchRequest;
  readonly #context: PartitionContext;

  constructor(snapshot: EngineSnapshot, request: SearchRequest, context: PartitionContext) {
    this.#snapshot = snapshot;
    this.#request = request;
    this.#context = context;
  }

  async run(): Promise<RankedProduct[]> {
    const { prefixOf, bounds } = this.#context;
    const keys = new KeyBudget(bounds.keysMax);
    const reader: WordReader = { snapshot: this.#snapshot, prefix: prefixOf(storeNames.titleWords), keys };
    const plan = await this.#plan(reader);
    if (plan === undefined) return [];
    const { list, others, asksTitles } = plan;
    const { limit } = this.#request;
    const found: RankedProduct[] = [];
    let seen = 0;
    for (;;) {
      const { places, next } = await nextPlaces(list, keys);
      const left = await placesUnderAll(reader, others, places);
      const looked = left.slice(0, bounds.candidatesMax - seen);
      seen += looked.length;
      found.push(...(await this.#look(looked, asksTitles)));
      if (looked.length < left.length || next === 'unread') {
        this.truncated = true;
        break;
      }
      if (next === 'none') break;
      // What follows is of lower rank, also within the lowest level.
      const isLower = next === 'lower' || levelOfPlace(places[0]!) === 0;
      if (isLower && found.length >= limit) break;
    }
    return found.toSorted(byRank).slice(0, limit);
  }

  /** Which list to read, and what its places are asked for; undefined: there is nothing to be found. */
  async #plan(reader: WordReader): Promise<SearchPlan | undefined> {
    const { words, bounds } = this.#context;
    const { whole, last } = words;
    const alone = whole.length === 0;
    const begun = await expand(reader, last, alone ? bounds.wordsMax : bounds.besideWordsMax);
    if (alone && begun.more) this.truncated = true;
    const any = new AnyOfWords(begun.words.map((word) => new WordRows(reader, word, pageRowsOfMany)));
    const lists = whole.map((word) => new WordRows(reader, word, pageRows));
    const all = alone || !begun.more ? [...lists, any] : lists;
    await Promise.all(all.map((list) => list.read()));
    if (all.some(({ head }) => head === undefined)) return undefined;
    const list = rarest<WordRows | AnyOfWords>(all);
    const others = whole.filter((word) => !(list instanceof WordRows && list.word === word));
    return { list, others, asksTitles: list !== any };
  }

  /** The rows of these products, less those that are not wanted. */
  async #look(places: readonly Uint8Array[], asksTitles: boolean): Promise<RankedProduct[]> {
    const { last } = this.#context.words;
    const [products, stats] = await Promise.all([
      this.#rows(storeNames.products, places),
      this.#rows(storeNames.productStats, places),
    ]);
    const isWanted = (at: number): boolean => this.#request.inactive || products[at]?.active !== false;
    const untitled = places.filter((_, at) => isWanted(at) && (products[at]?.title ?? null) === null);
    const titles = await this.#rows(storeNames.productTitles, untitled);
    return places.flatMap((place, at) => {
      if (!isWanted(at)) return [];
      const product = products[at];
      const title = shownTitle(product, titles[untitled.indexOf(place)]) ?? '';
      if (asksTitles && !titleWords(title).some((word) => word.startsWith(last))) return [];
      const { purchases, views } = stats[at] ?? newProductStats();
      const { category = null, price = null, active = true } = product ?? {};
      const shown = { id: productOfPlace(place), title, category, price, active, purchases, views };
      return [{ product: shown, id: place.subarray(1) }];
    });
  }

  async #rows<N extends LookedStore>(store: N, places: readonly Uint8Array[]): Promise<(RowOf<N> | undefined)[]> {
    const prefix = this.#context.prefixOf(store);
    const rows = await this.#snapshot.getMany(
      'state',
      places.map((place) => concatBytes(prefix, place.subarray(1))),
    );
    return rows.map((bytes) => bytes && (storeSerdes[store].value.deserialize(bytes) as RowOf<N>));
  }
}

interface SearchPlan {
  readonly list: PlaceList;
  /** Words that the list does not stand for. */
  readonly others: readonly string[];
  /** Nor for the last word, which the titles are asked for. */
  readonly asksTitles: boolean;
}

interface NextPlaces {
  /** Of one level, at most a batch. */
  readonly places: readonly Uint8Array[];
  /** What follows them: others of their level or a lower one, nothing, or what there are no keys left to read. */
  readonly next: 'same' | 'lower' | 'none' | 'unread';
}

async function nextPlaces(list: PlaceList, keys: KeyBudget): Promise<NextPlaces> {
  const places: Uint8Array[] = [];
  for (;;) {
    if (!list.isRead) {
      if (keys.spent) return { places, next: 'unread' };
      await list.read();
    }
    const { head } = list;
    if (head === undefined) return { places, next: 'none' };
    if (places.length > 0 && levelOfPlace(head) !== levelOfPlace(places[0]!)) return { places, next: 'lower' };
    if (places.length === batchMax) return { places, next: 'same' };
    places.push(head);
    list.pass();
  }
}

type LookedStore = typeof storeNames.products | typeof storeNames.productTitles | typeof storeNames.productStats;
type RowOf<N extends LookedStore> = ReturnType<(typeof storeSerdes)[N]['value']['deserialize']>;

function byRank(a: RankedProduct, b: RankedProduct): number {
  return b.product.purchases - a.product.purchases || b.product.views - a.product.views || compareBytes(a.id, b.id);
}

/** Places that are gone through at a time. */
const batchMax = 128;
/** Of a list's first page; its next ones are larger. A read costs about as much as sixty rows. */
const pageRows = 128;
const pageRowsOfMany = 32;
