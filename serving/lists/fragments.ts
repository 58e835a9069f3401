import type { SourceOffset } from '../host/messages.ts';
import type { LookupView } from '../view/lookup-view.ts';

/**
 * Pieces of JSON that many answers share, kept as text: `"id":…,"title":…` of an item until its title changes, and the
 * `asOf` of the publication. A list is then put together by joining text.
 */
export class Fragments {
  readonly #view: LookupView;
  readonly #items = new Map<number, { readonly title: string | null; readonly text: string }>();
  #asOf = { offsets: undefined as readonly SourceOffset[] | undefined, text: '[]' };

  constructor(view: LookupView) {
    this.#view = view;
  }

  /** `"id":"85123A","title":"WHITE HANGING HEART T-LIGHT HOLDER"` */
  item(item: number): string {
    const title = this.#view.title(item);
    const known = this.#items.get(item);
    if (known !== undefined && known.title === title) return known.text;
    const text = `"id":${JSON.stringify(this.#view.id(item))},"title":${JSON.stringify(title)}`;
    if (this.#items.size >= itemsMax) this.#items.clear();
    this.#items.set(item, { title, text });
    return text;
  }

  asOf(): string {
    const { asOf } = this.#view;
    if (this.#asOf.offsets !== asOf) this.#asOf = { offsets: asOf, text: JSON.stringify(asOf) };
    return this.#asOf.text;
  }
}

/** About 300 bytes each. */
const itemsMax = 32_768;
