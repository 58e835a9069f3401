import { createReadStream, createWriteStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { MillraceError } from '../../schemas/index.ts';
import type { Database } from './database.ts';

/**
 * UCI Online Retail, read from the published files alone; the rules of ingest stated once more, in SQL.
 *
 *     invoice, code, description, quantity, date, price, customer, country     by position, the header is skipped
 *
 * - Invoice, code and the rest are trimmed; an empty description or customer is none; customer `17850.0` is `17850`.
 * - An invoice that starts with `C` is a return of the absolute quantity, any other a purchase. Both stand in the
 *   session of their invoice.
 * - Unusable: no invoice, no code, a quantity that is no integer, or not above 0 in a purchase, or not below 0 in a
 *   return; a price that is negative or no multiple of 1/10,000; a date that is none.
 * - The identity of a line is all its fields and its ordinal among equal lines of the same file. So a line that stands
 *   twice in one file is two events, and one that stands in both files is one. Spelled as `docs/architecture/sources.md`
 *   asks, because it decides ties: 12 bytes of SHA-256 over the fields, parted by 1F, and the ordinal, all in hex.
 * - Log order: the files as given, the lines as they stand.
 */
export async function readUci(database: Database, files: readonly string[]): Promise<void> {
  await database.run(
    'CREATE TABLE lines (file INTEGER, line INTEGER, invoice VARCHAR, code VARCHAR, title VARCHAR, quantity VARCHAR, date VARCHAR, price VARCHAR, customer VARCHAR, country VARCHAR)',
  );
  for (const [file, path] of files.entries()) {
    const plain = await unpack(path, join(database.folder, `year-${file + 1}.csv`));
    // The order of the lines is the order of the log: DuckDB keeps it while preserve_insertion_order is on (default).
    await database.run(`
      INSERT INTO lines
      SELECT ${file + 1}, row_number() OVER () + 1, trim(coalesce(invoice, '')), trim(coalesce(code, '')),
        nullif(trim(title), ''), trim(coalesce(quantity, '')), trim(coalesce(date, '')), trim(coalesce(price, '')),
        nullif(regexp_replace(trim(customer), '\\.0$', ''), ''), trim(coalesce(country, ''))
      FROM read_csv('${plain.replaceAll("'", "''")}', auto_detect = false, header = true, delim = ',', quote = '"',
        escape = '"', columns = {invoice: 'VARCHAR', code: 'VARCHAR', title: 'VARCHAR', quantity: 'VARCHAR',
        date: 'VARCHAR', price: 'VARCHAR', customer: 'VARCHAR', country: 'VARCHAR'})`);
  }
  await database.run(`
    CREATE TABLE judged AS
    WITH parsed AS (
      SELECT * REPLACE (
          CASE WHEN regexp_full_match(quantity, '[+-]?[0-9]+') THEN try_cast(quantity AS INTEGER) END AS quantity,
          CASE WHEN regexp_full_match(price, '[+-]?[0-9]+(\\.[0-9]{1,4}0*)?')
            THEN (try_cast(price AS DECIMAL(18, 4)) * 10000)::BIGINT END AS price,
          CASE WHEN regexp_full_match(date, '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}')
            THEN epoch_ms(try_cast(date AS TIMESTAMP)) END AS date),
        invoice LIKE 'C%' AS cancelled
      FROM lines)
    SELECT *, CASE
        WHEN invoice = '' THEN 'invoice'
        WHEN code = '' THEN 'stock-code'
        WHEN quantity IS NULL OR quantity = 0 OR (quantity < 0) <> cancelled THEN 'quantity'
        WHEN price IS NULL OR price < 0 THEN 'price'
        WHEN date IS NULL THEN 'date' END AS unusable
    FROM parsed;
    DROP TABLE lines`);
  await database.run(`
    INSERT INTO arrived
    SELECT row_number() OVER (ORDER BY file, line), 0, event_id, event_id, customer, 's:' || invoice, code,
      CASE WHEN cancelled THEN 'return' ELSE 'purchase' END, abs(quantity), price, date, title,
      upper(code) IN (${serviceCodes.map((code) => `'${code}'`).join(', ')})
    FROM (
      SELECT *, substr(sha256(concat_ws(chr(31), invoice, code, coalesce(title, ''), quantity, date, price,
          coalesce(customer, ''), country)), 1, 24) || printf('%08x', row_number() OVER (
          PARTITION BY file, invoice, code, title, quantity, date, price, customer, country ORDER BY line) - 1)
        AS event_id
      FROM judged WHERE unusable IS NULL)`);
}

/** Codes that name a charge, not a product, in any case. */
export const serviceCodes = [
  ...['POST', 'DOT', 'C2', 'C3', 'M', 'D', 'S', 'B', 'BANK CHARGES', 'AMAZONFEE', 'ADJUST', 'ADJUST2', 'CRUK'],
  ...['TEST001', 'TEST002'],
] as const;

/** A line that is no event: where it stands (the header is line 1) and the field that rules it out. */
export interface UnusableLine {
  /** 1 is the first file given. */
  readonly file: number;
  readonly line: number;
  readonly field: 'invoice' | 'stock-code' | 'quantity' | 'price' | 'date';
}

export async function unusableLines(database: Database): Promise<UnusableLine[]> {
  const found: UnusableLine[] = [];
  const sql = 'SELECT file, line, unusable FROM judged WHERE unusable IS NOT NULL ORDER BY file, line';
  for await (const [file, line, field] of database.rows<[number, number, UnusableLine['field']]>(sql)) {
    found.push({ file, line, field });
  }
  return found;
}

async function unpack(path: string, plain: string): Promise<string> {
  const unpacking = path.endsWith('.br') ? createBrotliDecompress() : path.endsWith('.gz') ? createGunzip() : undefined;
  try {
    if (unpacking === undefined) await access(path);
    else await pipeline(createReadStream(path), unpacking, createWriteStream(plain));
  } catch (cause) {
    const message = `The recomputation wants the lines of '${path}' and cannot read it: ${(cause as Error).message}`;
    throw new MillraceError('SOURCE_UNREADABLE', message, { path }, { cause });
  }
  return unpacking === undefined ? path : plain;
}
