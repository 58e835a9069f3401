import { Scorer, type RecentItem, type Relation, type Scored } from '../../processors/index.ts';
import type { LookupView } from '../view/lookup-view.ts';
import { fallbacks } from './fallbacks.ts';
import { Fragments } from './fragments.ts';

/**
 * Recommendation lists as JSON text (docs/architecture/shop.md, "Scores, computed when looked up"):
 *
 *     {"items":[{"id":…,"title":…,"score":…,"reason":{"kind":…,…}}],"source":…,"asOf":[…]}
 *
 * | list            | source                                        | reasons                                         |
 * |-----------------|-----------------------------------------------|-------------------------------------------------|
 * | similar         | the relation; `none`: no neighbours yet       | `bought-with` … the item asked for, by relation |
 * | bought together | `bought`                                      | `bought-with`                                   |
 * | session, user   | `session`, `user`                             | `because-of` an item, `seen-before`             |
 *
 * What is missing to the asked length of the last two comes from fallbacks.ts, with reasons `trending` and `best-seller`; each
 * item then names its own `source`, and the list that of its first item. `count` in a reason is the number of sessions that
 * held both items, of a best seller its purchases. Scores compare only between items whose reasons are of one kind. Every
 * list is computed in one go, so it reflects one publication.
 */
export class Lists {
  readonly #view: LookupView;
  readonly #scorer: Scorer;
  readonly #fragments: Fragments;

  constructor(view: LookupView) {
    this.#view = view;
    this.#scorer = new Scorer(view);
    this.#fragments = new Fragments(view);
  }

  /** Undefined for a product that has had no event. */
  similar(productId: string, ask: Ask & { readonly relation?: Relation | undefined }): string | undefined {
    const item = this.#view.product(productId);
    if (item === undefined) return undefined;
    const options = { limit: ask.limit, allow: this.#allow(ask), relation: ask.relation };
    const { relation, items } = this.#scorer.similar(item, options);
    const texts = relation === undefined ? [] : this.#paired(reasons[relation], item, items);
    return this.#answer(texts, relation ?? 'none');
  }

  boughtTogether(productId: string, ask: Ask): string | undefined {
    const item = this.#view.product(productId);
    if (item === undefined) return undefined;
    const items = this.#scorer.boughtTogether(item, { limit: ask.limit, allow: this.#allow(ask) });
    return this.#answer(this.#paired('bought-with', item, items), 'bought');
  }

  /** For the items of a session, oldest first; unknown ones are passed over. */
  session(productIds: readonly string[], ask: Ask & { readonly includeSeen: boolean }): string {
    const seeds: number[] = [];
    for (const id of productIds.toReversed()) {
      const item = this.#view.product(id);
      if (item !== undefined) seeds.push(item);
    }
    const { limit, includeSeen } = ask;
    const items =
      seeds.length === 0 ? [] : this.#scorer.session(seeds, { limit, includeSeen, allow: this.#allow(ask) });
    return this.#filled(items, { ask, seeds: includeSeen ? [] : seeds, newestFirst: seeds, source: 'session' });
  }

  /** For the last products of a user; what trends when nobody knows him. */
  user(userId: string, ask: Ask): string {
    const seeds: RecentItem[] = [];
    for (const { productId, timestamp } of this.#view.recent(userId) ?? []) {
      const item = this.#view.product(productId);
      if (item !== undefined) seeds.push({ item, timestampMs: timestamp });
    }
    const items = seeds.length === 0 ? [] : this.#scorer.user(seeds, { limit: ask.limit, allow: this.#allow(ask) });
    const seen = seeds.map(({ item }) => item);
    return this.#filled(items, { ask, seeds: seen, newestFirst: seen, source: 'user' });
  }

  title(productId: string): string | null {
    const item = this.#view.product(productId);
    return item === undefined ? null : this.#view.title(item);
  }

  #allow({ exclude }: Ask): (item: number) => boolean {
    const view = this.#view;
    const out = this.#excluded(exclude);
    if (out.size === 0) return (item) => view.isRecommended(item);
    return (item) => view.isRecommended(item) && !out.has(item);
  }

  #excluded(exclude: readonly string[]): Set<number> {
    const out = new Set<number>();
    for (const id of exclude) {
      const item = this.#view.product(id);
      if (item !== undefined) out.add(item);
    }
    return out;
  }

  #paired(kind: string, item: number, items: readonly Scored[]): string[] {
    const of = `,"reason":{"kind":"${kind}","item":${JSON.stringify(this.#view.id(item))},"count":`;
    return items.map(
      ({ item: other, score, count }) => `{${this.#fragments.item(other)},"score":${score}${of}${count}}}`,
    );
  }

  #filled(scored: readonly Scored[], list: FilledList): string {
    const { ask, seeds } = list;
    const texts = scored.map(({ item, score, because, count }) => {
      const reason =
        because === item
          ? '{"kind":"seen-before"}'
          : `{"kind":"because-of","item":${JSON.stringify(this.#view.id(because))},"count":${count}}`;
      return `{${this.#fragments.item(item)},"score":${score},"reason":${reason},"source":"${list.source}"}`;
    });
    const sources: string[] = scored.length === 0 ? [] : [list.source];
    if (texts.length < ask.limit) {
      const out = this.#excluded(ask.exclude);
      for (const { item } of scored) out.add(item);
      for (const item of seeds) out.add(item);
      for (const { source, item, score, reason } of fallbacks(this.#view, list.newestFirst)) {
        if (texts.length === ask.limit) break;
        if (out.has(item) || !this.#view.isRecommended(item)) continue;
        out.add(item);
        sources.push(source);
        texts.push(`{${this.#fragments.item(item)},"score":${score},"reason":${reason},"source":"${source}"}`);
      }
    }
    return this.#answer(texts, sources[0] ?? 'none');
  }

  #answer(items: readonly string[], source: string): string {
    return `{"items":[${items.join(',')}],"source":"${source}","asOf":${this.#fragments.asOf()}}`;
  }
}

const reasons = {
  viewed: 'viewed-with',
  bought: 'bought-with',
  cart: 'carted-with',
  'viewed-bought': 'bought-after-viewing',
} as const satisfies Record<Relation, string>;

interface FilledList {
  readonly ask: Ask;
  /** Left out. */
  readonly seeds: readonly number[];
  readonly newestFirst: readonly number[];
  readonly source: 'session' | 'user';
}

export interface Ask {
  readonly limit: number;
  readonly exclude: readonly string[];
}
