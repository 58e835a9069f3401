import { expect, test } from 'vitest';
import { productFields } from '../../schemas/index.ts';
import { parseColumnMap } from './column-map.ts';

test('a column map names a column for each field; quotes hold a comma', () => {
  expect(parseColumnMap('id=asin')).toEqual({ id: 'asin' });
  expect(parseColumnMap(' id = asin , title="Name, long", price=Price (₹),url=a=b')).toEqual({
    id: 'asin',
    title: 'Name, long',
    price: 'Price (₹)',
    url: 'a=b',
  });
});

test.each([
  ['', "wants FIELD=COLUMN, as id=asin,title=name; found ''"],
  ['id', "wants FIELD=COLUMN, as id=asin,title=name; found 'id'"],
  ['id=', "wants FIELD=COLUMN, as id=asin,title=name; found 'id='"],
  ['id=a,', "wants FIELD=COLUMN, as id=asin,title=name; found 'id=a,'"],
  ['id=a,title="b', `wants FIELD=COLUMN, as id=asin,title=name; found 'title="b'`],
  ['id=a,name=b', `wants fields of ${productFields.join(', ')}; found 'name'`],
  ['id=a,id=b', "wants each field once; found 'id' again"],
  ['title=a,price=b', 'wants a column for id; found only title, price'],
])('%j is refused: %s', (text, message) => {
  expect(() => parseColumnMap(text)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: `--columns ${message}` }),
  );
});
