import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvBounds, type CsvDamage, CsvRows, type CsvShape } from './csv-rows.ts';

interface Read {
  readonly rows: { fields: readonly string[]; line: number; raw: string }[];
  readonly damages: CsvDamage[];
}

/** Feeds the bytes in pieces of the given sizes (the last one again and again). */
function read(input: string | Uint8Array, sizes: readonly number[] = [1 << 20], shape: CsvShape | number = 1): Read {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  const result: Read = { rows: [], damages: [] };
  const rows = new CsvRows(
    {
      row: (fields, line, source) =>
        result.rows.push({ fields: [...fields], line, raw: Buffer.from(source.raw()).toString('latin1') }),
      damaged: (damage) => result.damages.push(damage),
    },
    typeof shape === 'number' ? { columns: shape } : shape,
  );
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]!;
    rows.push(bytes.subarray(at, at + size));
    at += size;
  }
  rows.end();
  return result;
}

const fieldsOf = (input: string, columns = 2) => read(input, [1 << 20], columns).rows.map(({ fields }) => fields);
const brief = ({ damages }: Read) => damages.map(({ line, rule }) => `${line} ${rule}`);

describe('CSV rows', () => {
  it('are the fields between commas, with or without a last line end, LF or CRLF', () => {
    expect(fieldsOf('a,b\nc,\n,d')).toEqual([
      ['a', 'b'],
      ['c', ''],
      ['', 'd'],
    ]);
    expect(fieldsOf('a,b\r\n"c","d"\r\n')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });
  it('take quoted commas, quotes and line ends as text; a quote inside plain text is a plain character', () => {
    expect(fieldsOf('"a,b","say ""hi""","two\nlines"\n12" ruler,x\n', 3)).toEqual([
      ['a,b', 'say "hi"', 'two\nlines'],
      ['12" ruler', 'x'],
    ]);
  });
  it('are the fields between tabs in TSV, where a comma is text', () => {
    const tabs = { columns: 2, delimiter: '\t' };
    const { rows, damages } = read('a,b\t"c\td"\n"x\n,"\ty\r\n"q",\tz\n', [3], tabs);
    expect(rows.map(({ fields, line }) => [line, fields])).toEqual([
      [1, ['a,b', 'c\td']],
      [2, ['x\n,', 'y']],
    ]);
    expect(damages).toMatchObject([{ line: 4, reason: "wants a tab or the line's end after the quote of column 1" }]);
  });
  it('without a number of columns are as wide as the first, and a wider field may be allowed', () => {
    const wide = 'x'.repeat(csvBounds.fieldBytesMax + 1);
    expect(brief(read(`a,b\n"c\nd"\n"e\nf",g\n`, [100], {}))).toEqual(['2 torn']);
    expect(read(`a,b\n${wide},"${wide}"\n`, [1000], { fieldBytesMax: csvBounds.rowBytesMax }).damages).toEqual([]);
  });
  it('skip empty lines and a byte-order mark, and keep non-ASCII text', () => {
    expect(fieldsOf('\ufeffa\n\n\r\ncaf\u00e9,\ud834\udd1e\n')).toEqual([['a'], ['caf\u00e9', '\ud834\udd1e']]);
  });
  it('tell the line of the file where they begin, past quoted line ends', () => {
    expect(read('a\n"b\n\nb"\n\nc\n"d\n').rows.map(({ fields, line }) => [fields[0], line])).toEqual([
      ['a', 1],
      ['b\n\nb', 2],
      ['c', 6],
    ]);
  });

  it('come out the same however the bytes are cut', () => {
    const field = fc.string({
      unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\u00e9', '\ud834\udd1e', ' '),
      maxLength: 6,
    });
    const table = fc.array(fc.tuple(field, field, field), { maxLength: 8 });
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), sizes, (rows, lineEnd, lastEnd, cuts) => {
        const quoted = rows.map((fields) => fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
        const lines = quoted.map((_, i) => 1 + quoted.slice(0, i).join(lineEnd).split('\n').length - (i === 0 ? 1 : 0));
        const result = read(quoted.join(lineEnd) + (lastEnd && rows.length > 0 ? lineEnd : ''), cuts, 3);
        expect(result.damages).toEqual([]);
        expect(result.rows.map(({ fields }) => fields)).toEqual(rows);
        expect(result.rows.map(({ line }) => line)).toEqual(lines);
        expect(result.rows.map(({ raw }) => Buffer.from(raw, 'latin1').toString())).toEqual(quoted);
      }),
    );
  });
});

describe('CSV damage', () => {
  it('a quote that is never closed costs its line only, also at the end of the file', () => {
    const result = read('a,1\nb,"torn\nc,3\nd,4\ne,"torn');
    expect(result.rows.map(({ fields, line }) => [...fields, line])).toEqual([
      ['a', '1', 1],
      ['c', '3', 3],
      ['d', '4', 4],
    ]);
    expect(brief(result)).toEqual(['2 torn', '5 torn']);
    expect(result.damages.map(({ raw }) => Buffer.from(raw).toString())).toEqual(['b,"torn', 'e,"torn']);
  });
  it('text after a closing quote costs its line only', () => {
    const result = read('a,"torn\nb,"2"\nc,"3"x\nd,4\n');
    expect(result.rows.map(({ fields }) => fields)).toEqual([
      ['b', '2'],
      ['d', '4'],
    ]);
    expect(brief(result)).toEqual(['1 torn', '3 torn']);
  });
  it('an open quote that another torn line happens to close costs those two lines only', () => {
    const result = read('e,"torn\nf,6\n",7\ng,8\n', [1 << 20], 2);
    expect(result.rows.map(({ fields, line }) => [...fields, line])).toEqual([
      ['f', '6', 2],
      ['g', '8', 4],
    ]);
    expect(brief(result)).toEqual(['1 torn', '3 torn']);
  });
  it('a field above 4 KiB or a row above 64 KiB is oversized, whatever the cuts', () => {
    const field = 'x'.repeat(csvBounds.fieldBytesMax);
    const row = Array.from({ length: 17 }, () => field).join(',');
    const quoted = Array.from({ length: 17 }, () => `"${field}"`).join(',');
    const input = `a\n${field},ok\n${field}x\n"${field}","ok"\n"${field}x"\n${row}\n${quoted}\n${'y'.repeat(300_000)}\nz\n`;
    for (const size of [1000, 65_536, 1 << 20]) {
      const result = read(input, [size]);
      expect(result.rows.map(({ line }) => line)).toEqual([1, 2, 4, 9]);
      expect(brief(result)).toEqual(['3 oversized', '5 oversized', '6 oversized', '7 oversized', '8 oversized']);
      for (const { raw } of result.damages) expect(raw.length).toBeLessThanOrEqual(csvBounds.rowBytesMax);
    }
  });
  it('an open quote before a megabyte without a line end is not held in memory', () => {
    const result = read(`"a\n${'x'.repeat(1 << 20)}\nb\n`, [4096]);
    expect(result.rows.map(({ fields, line }) => [fields[0], line])).toEqual([['b', 3]]);
    expect(brief(result)).toEqual(['1 torn', '2 oversized']);
  });
  it('bytes that are no UTF-8 cost their row, and are given back as they were', () => {
    const input = Buffer.concat([
      Buffer.from('caf\u00e9\n'),
      Buffer.from([0x61, 0xff, 0x2c, 0xc3, 10]),
      Buffer.from('b\n'),
    ]);
    const result = read(input);
    expect(result.rows.map(({ fields }) => fields)).toEqual([['caf\u00e9'], ['b']]);
    expect(brief(result)).toEqual(['2 encoding']);
    expect([...result.damages[0]!.raw]).toEqual([0x61, 0xff, 0x2c, 0xc3]);
  });
  it('any bytes at all are rows or damages, and what follows them is read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (garbage, size) => {
        const result = read(Buffer.concat([garbage, Buffer.from('\nx,1\ny,2\nz,3\n')]), [size]);
        expect(result.rows.at(-1)!.fields).toEqual(['z', '3']);
        expect(result.rows.at(-1)!.line).toBe(garbage.filter((byte) => byte === 10).length + 4);
      }),
    );
  });
});
