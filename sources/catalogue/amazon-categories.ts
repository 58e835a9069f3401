import { MillraceError } from '../../schemas/index.ts';
import { CsvRows } from '../csv-rows.ts';
import { fileBytes } from '../source-bytes.ts';

/**
 * `amazon_categories.csv` (`id,category_name`; plain, `.gz` or `.br`): the name of each category id. A row that is damaged, or
 * lacks an id or a name, names no category; of two names of one id the first holds.
 *
 * @throws MillraceError `SOURCE_UNREADABLE` when the file is missing or has another header.
 */
export async function readAmazonCategories(path: string): Promise<ReadonlyMap<string, string>> {
  const bytes = fileBytes(path);
  const names = new Map<string, string>();
  let header: string | undefined;
  const rows = new CsvRows(
    {
      row(fields) {
        if (header === undefined) {
          header = fields.map((field) => field.trim()).join(',');
          requireHeader(header, bytes.name);
          return;
        }
        const [id = '', name = ''] = fields.map((field) => field.trim());
        if (fields.length === 2 && id !== '' && name !== '' && !names.has(id)) names.set(id, name);
      },
      damaged({ raw }) {
        if (header === undefined) requireHeader(Buffer.from(raw).toString('latin1'), bytes.name);
      },
    },
    { columns: 2 },
  );
  for await (const chunk of bytes.chunks()) rows.push(chunk);
  rows.end();
  requireHeader(header ?? '', bytes.name);
  return names;
}

const wanted = 'id,category_name';

function requireHeader(found: string, file: string): void {
  if (found === wanted) return;
  const shown = found === '' ? 'nothing' : JSON.stringify(found.slice(0, 200));
  throw new MillraceError('SOURCE_UNREADABLE', `'${file}' wants the columns ${wanted}; found ${shown}`, {
    file,
    wanted,
    found: shown,
  });
}
