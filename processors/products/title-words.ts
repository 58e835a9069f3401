import type { ProductStats } from './product-stats.ts';

/**
 * Rows of the store `title-words`: a product under each word of its title (docs/architecture/shop.md, "Title words").
 *
 *     key:    <word>/<level><product id>       level: one character, '0' the greatest
 *     bytes:  none
 *
 * A word has neither slash nor anything else that is no letter or digit, so the first slash ends it, rows of a word are a
 * range, and so are those of all words that begin alike. Within a word the popular products come first, in the same order
 * under each word: rows of several words can be merged.
 */
export function titleWordKey(
  word: string,
  { productId, level }: { readonly productId: string; level: number },
): string {
  return `${word}/${String.fromCharCode(levelCode(level))}${productId}`;
}

export function parseTitleWordKey(key: string): TitleWord {
  const slash = key.indexOf('/');
  return {
    word: key.slice(0, slash),
    level: levelOfCode(key.charCodeAt(slash + 1)),
    productId: key.slice(slash + 2),
  };
}

export interface TitleWord {
  readonly word: string;
  readonly level: number;
  readonly productId: string;
}

/** Of the byte that stands behind the slash of a key. */
export function levelOfCode(code: number): number {
  return levelMax - (code - firstCode);
}

function levelCode(level: number): number {
  return firstCode + (levelMax - level);
}

/** The words that a title is found by: its first 24 distinct ones, single letters left out. */
export function titleWords(title: string): readonly string[] {
  const words = new Set<string>();
  for (const word of wordsOf(title)) {
    if (isIndexed(word)) words.add(word);
    if (words.size === titleWordsMax) break;
  }
  return [...words];
}

export interface QueryWords {
  /** That a title must have. */
  readonly whole: readonly string[];
  /** The last word of the query: a word of the title must begin with it. */
  readonly last: string;
}

/** undefined: there is no word in it. */
export function queryWords(query: string): QueryWords | undefined {
  const words = wordsOf(query);
  const last = words.pop();
  return last === undefined ? undefined : { whole: [...new Set(words.filter(isIndexed))], last };
}

/**
 * The words of a text, in order: runs of letters and digits, decomposed (NFKD), without marks and apostrophes, in lower
 * case, of at most 40 characters.
 *
 *     wordsOf("Women's CAFÉ-set Nº5")   // ['womens', 'cafe', 'set', 'no5']
 */
function wordsOf(text: string): string[] {
  const folded = text.normalize('NFKD').replace(ignored, '').toLowerCase().replaceAll('ς', 'σ');
  return (folded.match(runs) ?? []).map((word) =>
    word.length <= wordCharactersMax ? word : [...word].slice(0, wordCharactersMax).join(''),
  );
}

function isIndexed(word: string): boolean {
  return word.length > 2 || [...word].length > 1 || digit.test(word);
}

/**
 * How popular a product is, 0..32: within a level, purchases (without any: views) differ by less than a factor of four.
 *
 *     no purchase, no view 0 │ no purchase: 1 + ⌊log4 views⌋, at most 16 │ 17 + ⌊log4 purchases⌋, at most 32
 */
export function popularityLevel({ purchases, views }: Pick<ProductStats, 'purchases' | 'views'>): number {
  if (purchases > 0) return 17 + log4(purchases);
  return views > 0 ? 1 + log4(views) : 0;
}

function log4(count: number): number {
  return (31 - Math.clz32(Math.min(count, 2 ** 32 - 1))) >> 1;
}

export const titleWordsMax = 24;
const wordCharactersMax = 40;
const levelMax = 32;
const firstCode = '0'.charCodeAt(0);
const ignored = /[\p{M}'’ʼ]/gu;
const runs = /[\p{L}\p{N}]+/gu;
const digit = /\p{N}/u;
