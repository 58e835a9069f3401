import { describe, expect, test } from 'vitest';
import {
  parseTitleWordKey,
  popularityLevel,
  queryWords,
  titleWordKey,
  titleWords,
  titleWordsMax,
} from './title-words.ts';

describe('words of a title', () => {
  test.each([
    ['Red Lamp', ['red', 'lamp']],
    ["WOMEN'S  café-Crème", ['womens', 'cafe', 'creme']],
    ['a T-light No 5, x', ['light', 'no', '5']],
    ['ﬁne ½ Ångström', ['fine', '1', '2', 'angstrom']],
    ['ΟΔΟΣ οδος Οδοσα', ['οδοσ', 'οδοσα']],
    ['lamp LAMP Lämp', ['lamp']],
    ['赤いランプ 茶', ['赤いランフ']],
    ['!?', []],
  ])('%s: %j', (title, words) => expect(titleWords(title)).toEqual(words));

  test('are the first 24 distinct ones, of at most 40 characters', () => {
    const many = Array.from({ length: 30 }, (_, at) => `w${at} w${at}`);
    expect(titleWords(many.join(' '))).toHaveLength(titleWordsMax);
    expect(titleWords('𝒳'.repeat(50))).toEqual(['x'.repeat(40)]);
    expect(titleWords('𐐀'.repeat(50))).toEqual(['𐐨'.repeat(40)]);
  });
});

test.each([
  ['red lam', { whole: ['red'], last: 'lam' }],
  ['  Red,RED  l ', { whole: ['red'], last: 'l' }],
  ['a 7 x lamp', { whole: ['7'], last: 'lamp' }],
  ['x', { whole: [], last: 'x' }],
  ['!', undefined],
])('a query %s', (query, words) => expect(queryWords(query)).toEqual(words));

test('levels are powers of four: of purchases, below them of views', () => {
  const levels = [0, 1, 3, 4, 15, 16, 2 ** 31, 2 ** 40];
  expect(levels.map((views) => popularityLevel({ purchases: 0, views }))).toEqual([0, 1, 1, 2, 2, 3, 16, 16]);
  expect(levels.slice(1).map((purchases) => popularityLevel({ purchases, views: 9 }))).toEqual([
    ...[17, 17, 18, 18, 19, 32, 32],
  ]);
});

test('keys come back, and the popular stand first', () => {
  const places = [0, 1, 16, 17, 32].map((level) => ({ word: 'lamp', level, productId: 'a/b' }));
  const keys = places.map((place) => titleWordKey(place.word, place));
  expect(keys.map(parseTitleWordKey)).toEqual(places);
  expect(keys.toSorted()).toEqual(keys.toReversed());
});
