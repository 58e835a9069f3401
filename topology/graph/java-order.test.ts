import { expect, it } from 'vitest';
import { copiedHashOrder, hashOrder, TreeSet } from './java-order.ts';

it('orders strings as a Java HashSet does, also after it has grown', () => {
  // A one-letter string hashes to its code; "Aa" and "BB" both hash to 2112, so they stay as added.
  expect(hashOrder(['c', 'a', 'b'])).toEqual(['a', 'b', 'c']);
  expect(hashOrder(['BB', 'Aa'])).toEqual(['BB', 'Aa']);
  const letters = [...'zyxwvutsrqponmlkjihgfedcba'];
  // 64 buckets: codes 97 to 122 lie in buckets 33 to 58.
  expect(hashOrder(letters)).toEqual(letters.toReversed());
  // 16 buckets: 'p' (112) lies in bucket 0, before 'a' (97) in bucket 1.
  expect(hashOrder(['a', 'p'])).toEqual(['p', 'a']);
});

it('sizes a copy for its collection at once', () => {
  const twelve = [...'abcdefghijkl'];
  // 16 buckets are enough for twelve strings that are added one by one; a copy takes 12 / 0.75 + 1 = 17, that is 32.
  expect(hashOrder([...twelve.slice(0, 11), 'p'])[0]).toBe('p');
  expect(copiedHashOrder([...twelve.slice(0, 11), 'p'])[0]).toBe('a');
});

it('keeps a tree in order for any order of adding', () => {
  const numbers = Array.from({ length: 50 }, (_, i) => (i * 37) % 50);
  const tree = new TreeSet<number>((a, b) => a - b);
  for (const number of [...numbers, ...numbers]) tree.add(number);
  expect([...tree]).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

it('leaves an element where it is when its rank changes later', () => {
  const tree = new TreeSet<{ rank: number }>((a, b) => a.rank - b.rank);
  const [first, second, third] = [{ rank: 1 }, { rank: 2 }, { rank: 0 }];
  tree.add(first);
  tree.add(second);
  first.rank = 3;
  tree.add(third);
  expect([...tree]).toEqual([third, first, second]);
});
