import { expect, test } from 'vitest';
import { table } from './terminal.ts';

test('a table sets texts to the left and numbers to the right', () => {
  expect(
    table(
      ['RULE', 'REJECTED'],
      [
        ['quantity', 2121],
        ['price', 3],
      ],
    ),
  ).toBe('RULE      REJECTED\nquantity     2,121\nprice            3');
});
