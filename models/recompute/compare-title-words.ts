import { shown, Tally, type TableComparison } from './comparison.ts';
import type { Rows, TitleWordRow } from './rows.ts';
import { type ListedTitle, wordsOfTitle } from './title-words.ts';

/**
 * Each product under each word of its title. A large catalogue has more such rows than a map may have keys, so the words
 * are made of the title anew for each row, and what has been seen of a product is a bit a word.
 */
export async function compareTitleWords(
  expected: ReadonlyMap<string, ListedTitle>,
  actual: Rows<TitleWordRow>,
): Promise<TableComparison> {
  let rows = 0;
  for (const { title } of expected.values()) rows += wordsOfTitle(title).length;
  const tally = new Tally('title-words', rows);
  const seen = new Map<string, number>();
  for await (const row of actual) {
    const { word, productId, level } = row;
    const listed = expected.get(productId);
    const at = listed === undefined ? -1 : wordsOfTitle(listed.title).indexOf(word);
    const key = `${word} ${productId}`;
    const before = seen.get(productId) ?? 0;
    if (listed === undefined || at < 0) tally.extra(key, row);
    else if ((before & (1 << at)) !== 0) tally.extra(key, row, 'one row with this key');
    else {
      tally.both(key, listed.level === level ? null : { expected: shown(listed), actual: shown(row) });
      seen.set(productId, before | (1 << at));
    }
  }
  for (const [productId, { title, level }] of expected) {
    for (const [at, word] of wordsOfTitle(title).entries()) {
      if (((seen.get(productId) ?? 0) & (1 << at)) === 0) tally.missing(`${word} ${productId}`, { level });
    }
  }
  return tally.result();
}
