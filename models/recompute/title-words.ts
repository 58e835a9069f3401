import type { Catalogue } from './catalogue.ts';
import { productOf } from './log-versions.ts';
import type { ProductStatsRow, ProductTitlesRow } from './rows.ts';

/** By which words a product is found, and how popular it is. */
export interface ListedTitle {
  readonly title: string;
  readonly level: number;
}

/** By product; those without a title are under no word. Words are made when they are asked for: a title is shorter. */
export function listedTitles(
  stats: ReadonlyMap<string, ProductStatsRow>,
  titles: ReadonlyMap<string, ProductTitlesRow>,
  { products }: Pick<Catalogue, 'products'>,
): Map<string, ListedTitle> {
  const found = new Map<string, ListedTitle>();
  for (const id of new Set([...titles.keys(), ...products.keys()])) {
    const version = products.get(id);
    const ofCatalogue = version === undefined ? null : productOf(version.said, version.updatedAt).title;
    const title = ofCatalogue ?? titles.get(id)?.title ?? null;
    if (title === null) continue;
    const { purchases = 0, views = 0 } = stats.get(id) ?? {};
    found.set(id, { title, level: levelOf(Number(purchases), Number(views)) });
  }
  return found;
}

function levelOf(purchases: number, views: number): number {
  if (purchases === 0 && views === 0) return 0;
  let fours = 0;
  for (let left = purchases > 0 ? purchases : views; left >= 4 && fours < 15; left /= 4) fours += 1;
  return (purchases > 0 ? 17 : 1) + fours;
}

/**
 * The first 24 distinct words of a title, character by character.
 *
 *     wordsOfTitle("Women's CAFÉ x 5")  // ['womens', 'cafe', '5']
 */
export function wordsOfTitle(title: string): string[] {
  const words: string[] = [];
  let word: string[] = [];
  const end = (): void => {
    const isWord = word.length > 1 || (word.length === 1 && /\p{N}/u.test(word[0]!));
    const text = word.slice(0, 40).join('');
    if (isWord && words.length < 24 && !words.includes(text)) words.push(text);
    word = [];
  };
  for (const character of title.normalize('NFKD')) {
    if (/\p{M}/u.test(character) || "'’ʼ".includes(character)) continue;
    if (!/[\p{L}\p{N}]/u.test(character)) end();
    else word.push(character === 'ς' ? 'σ' : character.toLowerCase());
  }
  end();
  return words;
}
