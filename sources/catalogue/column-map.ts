import { MillraceError, productFields } from '../../schemas/index.ts';

/** What a column may be mapped to: the fields of a product. */
export type MappedField = (typeof productFields)[number];

/** The column of each field that has one, by its name in the header. */
export type ColumnMap = Readonly<Partial<Record<MappedField, string>> & { id: string }>;

/**
 * A column map as people write it: `id=asin,title=name`. A column's name that holds a comma is put in double quotes:
 * `price="Price, net"`.
 *
 *     parseColumnMap('id=asin,price=actual_price')  // { id: 'asin', price: 'actual_price' }
 *
 * @throws MillraceError `INVALID_ARGUMENT` for a field that products do not have, with those they have; for a field that comes
 * twice, a map without `id`, and what is no map at all.
 */
export function parseColumnMap(text: string): ColumnMap {
  const columns: Partial<Record<MappedField, string>> = {};
  for (let at = 0; at < text.length || at === 0;) {
    pair.lastIndex = at;
    const [all, field, quoted, plain] = pair.exec(text) ?? [];
    const column = (quoted ?? plain)?.trim();
    if (all === undefined || field === undefined || column === undefined || column === '') {
      throw refused(`wants FIELD=COLUMN, as id=asin,title=name; found '${text.slice(at)}'`, text);
    }
    if (!isField(field)) throw refused(`wants fields of ${productFields.join(', ')}; found '${field}'`, text);
    if (columns[field] !== undefined) throw refused(`wants each field once; found '${field}' again`, text);
    columns[field] = column;
    at += all.length;
  }
  const { id, ...others } = columns;
  if (id === undefined) throw refused(`wants a column for id; found only ${Object.keys(others).join(', ')}`, text);
  return { id, ...others };
}

/** `field=column` or `field="col,umn"`, with the comma behind it; a comma at the end begins a pair that is not there. */
const pair = /\s*([^=,\s]+)\s*=\s*(?:"([^"]*)"\s*|([^",][^,]*))(?:,(?!\s*$)|$)/y;

function isField(field: string): field is MappedField {
  return (productFields as readonly string[]).includes(field);
}

function refused(reason: string, found: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `--columns ${reason}`, { found });
}
