import { hash } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Interaction } from '../schemas/index.ts';
import type { SourceReject } from './event-source.ts';
import { openUciOnlineRetail, readUciOnlineRetail } from './uci-online-retail.ts';

interface Loaded {
  readonly events: Interaction[];
  readonly rejects: SourceReject[];
  batchLinesMax: number;
  bytesRead: number;
}

async function load(source: string | Readable, name?: string): Promise<Loaded> {
  const loaded: Loaded = { events: [], rejects: [], batchLinesMax: 0, bytesRead: 0 };
  for await (const batch of readUciOnlineRetail(source, name)) {
    loaded.events.push(...batch.events);
    loaded.rejects.push(...batch.rejects);
    loaded.batchLinesMax = Math.max(loaded.batchLinesMax, batch.events.length + batch.rejects.length);
    expect(batch.bytesRead).toBeGreaterThanOrEqual(loaded.bytesRead);
    loaded.bytesRead = batch.bytesRead;
  }
  return loaded;
}

const header = 'Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n';
const lineOf = (
  fields: Partial<
    Record<'invoice' | 'code' | 'title' | 'quantity' | 'date' | 'price' | 'customer' | 'country', string>
  >,
) => {
  const f = {
    invoice: '489434',
    code: '85048',
    title: 'LIGHTS',
    quantity: '12',
    date: '2009-12-01 07:45:00',
    price: '6.95',
    customer: '13085.0',
    country: 'United Kingdom',
    ...fields,
  };
  return `${f.invoice},${f.code},${f.title},${f.quantity},${f.date},${f.price},${f.customer},${f.country}\n`;
};
const loadText = (text: string | Uint8Array) =>
  load(Readable.from([Buffer.from(text)], { objectMode: false }), 'shop.csv');
const loadLine = async (fields: Parameters<typeof lineOf>[0]) => loadText(header + lineOf(fields));

describe('an invoice line', () => {
  it('is a purchase in the session of its invoice', async () => {
    const { events, rejects } = await loadLine({ code: ' 85123A ', title: '  WHITE HANGING HEART ' });
    expect(rejects).toEqual([]);
    expect(events).toEqual([
      {
        eventId: expect.stringMatching(/^[0-9a-f]{24}00000000$/) as string,
        userId: '13085',
        sessionId: '489434',
        productId: '85123A',
        type: 'purchase',
        quantity: 12,
        price: 69_500,
        currency: 'GBP',
        timestamp: Date.UTC(2009, 11, 1, 7, 45),
        title: 'WHITE HANGING HEART',
        service: false,
      },
    ]);
  });
  it('of a cancelled invoice is a return with a positive quantity', async () => {
    const { events } = await loadLine({ invoice: 'C489449', quantity: '-12' });
    expect(events).toMatchObject([{ type: 'return', quantity: 12, sessionId: 'C489449' }]);
  });
  it('without a customer or a description has none', async () => {
    expect((await loadLine({ customer: '', title: '  ' })).events).toMatchObject([{ userId: null, title: null }]);
  });
  it.each([
    'POST',
    'DOT',
    'C2',
    'C3',
    'm',
    'D',
    'S',
    'B',
    'Bank Charges',
    'AMAZONFEE',
    'ADJUST',
    'ADJUST2',
    'CRUK',
    'TEST001',
    'TEST002',
  ])('of %s is a service', async (code) =>
    expect((await loadLine({ code })).events).toMatchObject([{ productId: code, service: true }]),
  );
  it('may cost nothing, and a tenth of a penny is kept', async () => {
    const prices = async (price: string) => (await loadLine({ price })).events.map((event) => event.price);
    expect([...(await prices('0.0')), ...(await prices('0.001')), ...(await prices('38970.0'))]).toEqual([
      0, 10, 389_700_000,
    ]);
  });

  it.each<[string, string, Parameters<typeof lineOf>[0]]>([
    ['columns', 'wants 8 columns, found 9', { country: 'a,b' }],
    ['invoice', 'wants an invoice number, found none', { invoice: ' ' }],
    ['stock-code', 'wants a stock code, found none', { code: '' }],
    ['quantity', 'wants an integer quantity, found "1.5"', { quantity: '1.5' }],
    ['quantity', 'wants an integer quantity, found ""', { quantity: '' }],
    ['quantity', 'wants a quantity above 0 in a sale, found 0', { quantity: '0' }],
    ['quantity', 'wants a quantity above 0 in a sale, found -3', { quantity: '-3' }],
    ['quantity', 'wants a quantity below 0 in a cancellation, found 1', { invoice: 'C1', quantity: '1' }],
    ['price', 'wants a price of 0 or more, found "-11062.06"', { price: '-11062.06' }],
    ['price', 'wants a decimal with at most 4 places, found "0.00001"', { price: '0.00001' }],
    ['price', 'wants a decimal with at most 4 places, found "free"', { price: 'free' }],
    ['date', 'wants YYYY-MM-DD HH:MM:SS, found "2010-02-30 10:00:00"', { date: '2010-02-30 10:00:00' }],
    ['date', 'wants YYYY-MM-DD HH:MM:SS, found "12/1/2010 8:26"', { date: '12/1/2010 8:26' }],
    ['field', 'timestamp wants integer ms since epoch, found -1000', { date: '1969-12-31 23:59:59' }],
    ['field', 'quantity wants an integer 1..1000000000, found 1000000001', { quantity: '1000000001' }],
    ['field', 'productId wants text of 1..200 characters, found 201', { code: 'x'.repeat(201) }],
    ['oversized', 'wants at most 4096 bytes in a field, found more in column 3', { title: 'x'.repeat(4097) }],
  ])('is unusable by the rule %s: %s', async (rule, reason, fields) => {
    const { events, rejects } = await loadText(header + lineOf(fields) + lineOf({}));
    expect(events.length).toBe(1);
    const raw = Buffer.from(lineOf(fields).slice(0, -1));
    expect(rejects.map((reject) => ({ ...reject, raw: Buffer.from(reject.raw) }))).toEqual([
      { file: 'shop.csv', line: 2, rule, reason, raw },
    ]);
  });
});

describe('ids', () => {
  it('count repeats inside a file, and are the same in another file, whatever the form of its numbers', async () => {
    const first = await loadText(header + lineOf({}) + lineOf({ code: 'other' }) + lineOf({}) + lineOf({}));
    const other = header
      .replace('Invoice,', 'InvoiceNo,')
      .replace('Price', 'UnitPrice')
      .replace('Customer ID', 'CustomerID');
    const second = await loadText(
      other + lineOf({ price: '6.950', customer: '13085', title: ' LIGHTS' }) + lineOf({ quantity: '012' }),
    );
    const ids = first.events.map(({ eventId }) => eventId);
    expect(new Set(ids).size).toBe(4);
    expect(second.events.map(({ eventId }) => eventId)).toEqual([ids[0], ids[2]]);
  });
  it('tell apart lines that differ in any field', async () => {
    const variants: Parameters<typeof lineOf>[0][] = [
      {},
      { invoice: '489435' },
      { code: '85048a' },
      { title: 'Lights' },
      { quantity: '13' },
      { date: '2009-12-01 07:45:01' },
      { price: '6.96' },
      { customer: '' },
      { country: 'France' },
    ];
    const { events } = await loadText(header + variants.map(lineOf).join(''));
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(variants.length);
  });
});

describe('a damaged file', () => {
  it('loses the damaged lines only', async () => {
    const good = lineOf({});
    const bytes = Buffer.concat([
      Buffer.from(header + good),
      Buffer.from('489434,85048,"LIGHTS,12,2009-12-01 07:4\n'),
      Buffer.from(good),
      Buffer.from([0x00, 0xff, 0xfe, 0x22, 0x0a]),
      Buffer.from(lineOf({ title: 'caf\u00e9' }).replace('\u00e9', '\u00e9\u00e9'), 'latin1'),
      Buffer.from(`489434,85048,"two\nlines",1,2009-12-01 07:45:00,1,,\n${good}489434,850`),
    ]);
    const { events, rejects } = await loadText(bytes);
    expect(events.map(({ title }) => title)).toEqual(['LIGHTS', 'LIGHTS', 'two\nlines', 'LIGHTS']);
    expect(rejects.map(({ line, rule }) => [line, rule])).toEqual([
      [3, 'torn'],
      [5, 'encoding'],
      [6, 'encoding'],
      [10, 'columns'],
    ]);
  });
  it('with another header is unreadable, and says what was wanted and found', async () => {
    for (const [text, found] of [
      ['a,b,c\n1,2,3\n', '"a,b,c"'],
      ['', 'nothing'],
      [
        header.replace('Price', 'Cost'),
        '"Invoice,StockCode,Description,Quantity,InvoiceDate,Cost,Customer ID,Country"',
      ],
    ] as const) {
      await expect(loadText(text)).rejects.toMatchObject({
        code: 'SOURCE_UNREADABLE',
        facts: { file: 'shop.csv', found },
      });
    }
    await expect(loadText(Buffer.from([0xff, 0xd8, 0x00, 10]))).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });
});

describe('a file', () => {
  let folder: string;
  const text = header + Array.from({ length: 2500 }, (_, n) => lineOf({ invoice: String(n) })).join('');
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-uci-'));
    await writeFile(join(folder, 'plain.csv'), text);
    await writeFile(join(folder, 'zipped.csv.gz'), gzipSync(text));
    await writeFile(join(folder, 'small.csv.br'), brotliCompressSync(text));
    await writeFile(join(folder, 'cut.csv.gz'), gzipSync(text).subarray(0, -20));
    await writeFile(join(folder, 'not.csv.br'), text);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['plain.csv', 'zipped.csv.gz', 'small.csv.br'])(
    '%s is read in batches, and its bytes add up to its size',
    async (name) => {
      const path = join(folder, name);
      const { events, batchLinesMax, bytesRead } = await load(path);
      expect(events.map(({ sessionId }) => sessionId)).toEqual(Array.from({ length: 2500 }, (_, n) => String(n)));
      expect(batchLinesMax).toBe(1000);
      expect(bytesRead).toBe((await stat(path)).size);
      const source = await openUciOnlineRetail(path);
      expect(source).toMatchObject({ name, bytesTotal: bytesRead });
    },
  );
  it.each(['cut.csv.gz', 'not.csv.br', 'missing.csv'])('%s is unreadable', async (name) => {
    await expect(load(join(folder, name))).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', facts: { file: name } });
  });
  it('cut off in its compression gives what came before first', async () => {
    let events = 0;
    const reading = async () => {
      for await (const batch of readUciOnlineRetail(join(folder, 'cut.csv.gz'))) events += batch.events.length;
    };
    await expect(reading()).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    expect(events).toBeGreaterThan(1000);
  });
  it('that is missing cannot be opened', async () => {
    await expect(openUciOnlineRetail(join(folder, 'missing.csv'))).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });
  it('may be left early', async () => {
    for await (const batch of readUciOnlineRetail(join(folder, 'zipped.csv.gz'))) {
      expect(batch.events.length).toBe(1000);
      break;
    }
  });
});

/**
 * The figures, and the digest over all ids, were computed by a second implementation of the rules (Python's csv,
 * decimal and hashlib).
 */
describe('the shipped data', () => {
  const years: Loaded[] = [];
  const pathOf = (year: number) =>
    fileURLToPath(new URL(`../data/uci-online-retail/year-${year}.csv.br`, import.meta.url));
  beforeAll(async () => {
    for (const year of [1, 2]) years.push(await load(pathOf(year)));
  }, 120_000);

  const count = <T>(items: readonly T[], keyOf: (item: T) => string) => {
    const counts: Record<string, number> = {};
    for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
    return counts;
  };

  it.each([
    {
      year: 1,
      lines: 525_461,
      types: { purchase: 513_131, return: 10_205 },
      rejects: {
        'quantity wants a quantity above 0 in a sale': 2121,
        'quantity wants a quantity below 0 in a cancellation': 1,
        'price wants a price of 0 or more': 3,
      },
      amounts: { purchase: 103_058_920_240, return: 6_302_289_400 },
      distinct: { sessions: 26_691, products: 4326, users: 4383 },
      anonymous: 105_802,
      untitled: 1101,
      service: 2894,
      repeats: 6865,
      rejectLines: [265, 285, 286, 472],
      ids: 'a534f1d6d8d5dc6260e582e633945e30eb227eb7af9838f18d30246ac2d3e375',
      firstId: '5aab89800e976fc3feb34bb600000000',
      times: ['2009-12-01T07:45:00.000Z', '2010-12-09T20:01:00.000Z'],
    },
    {
      year: 2,
      lines: 541_909,
      types: { purchase: 531_283, return: 9288 },
      rejects: { 'quantity wants a quantity above 0 in a sale': 1336, 'price wants a price of 0 or more': 2 },
      amounts: { purchase: 106_666_845_440, return: 8_968_124_900 },
      distinct: { sessions: 24_562, products: 3957, users: 4372 },
      anonymous: 133_742,
      untitled: 592,
      service: 2910,
      repeats: 5268,
      rejectLines: [2408, 4349, 7190, 7191],
      ids: 'a4cb977cfc5418d2218e3230751d1367e12b55591b6fcba0e06bc95780b70f57',
      firstId: '03a7f1e52a6c13623f25232200000000',
      times: ['2010-12-01T08:26:00.000Z', '2011-12-09T12:50:00.000Z'],
    },
  ])('of year $year gives $lines lines, each an event or a reject', async (wanted) => {
    const { events, rejects, bytesRead } = years[wanted.year - 1]!;
    expect(events.length + rejects.length).toBe(wanted.lines);
    expect(bytesRead).toBe((await stat(pathOf(wanted.year))).size);
    expect(count(events, ({ type }) => type)).toEqual(wanted.types);
    expect(count(rejects, ({ rule, reason }) => `${rule} ${reason.replace(/, found.*/, '')}`)).toEqual(wanted.rejects);
    expect(rejects.slice(0, 4).map(({ line }) => line)).toEqual(wanted.rejectLines);

    const amounts: Record<string, number> = {};
    for (const { type, quantity, price } of events) amounts[type] = (amounts[type] ?? 0) + quantity * price;
    expect(amounts).toEqual(wanted.amounts);
    expect({
      sessions: new Set(events.map(({ sessionId }) => sessionId)).size,
      products: new Set(events.map(({ productId }) => productId)).size,
      users: new Set(events.flatMap(({ userId }) => userId ?? [])).size,
    }).toEqual(wanted.distinct);
    expect(events.filter(({ userId }) => userId === null).length).toBe(wanted.anonymous);
    expect(events.filter(({ title }) => title === null).length).toBe(wanted.untitled);
    expect(events.filter(({ service }) => service).length).toBe(wanted.service);

    const ids = events.map(({ eventId }) => eventId);
    expect(ids[0]).toBe(wanted.firstId);
    expect(new Set(ids).size).toBe(events.length);
    expect(ids.filter((id) => !id.endsWith('00000000')).length).toBe(wanted.repeats);
    expect(hash('sha256', ids.join('\n'))).toBe(wanted.ids);
    expect([events[0]!, events.at(-1)!].map(({ timestamp }) => new Date(timestamp).toISOString())).toEqual(
      wanted.times,
    );
  });

  it('counts the 22,523 rows that stand in both files once', () => {
    const [first, second] = years as [Loaded, Loaded];
    const ids = new Set(first.events.map(({ eventId }) => eventId));
    const sameEvents = second.events.filter(({ eventId }) => ids.has(eventId)).length;
    const texts = new Set(first.rejects.map(({ raw }) => Buffer.from(raw).toString()));
    const sameRejects = second.rejects.filter(({ raw }) => texts.has(Buffer.from(raw).toString())).length;
    expect([sameEvents, sameRejects]).toEqual([22_459, 64]);
  });

  it('gives identical events when it is read again', async () => {
    const again: Interaction[] = [];
    for await (const batch of readUciOnlineRetail(pathOf(1))) {
      again.push(...batch.events);
      if (again.length > 100_000) break;
    }
    const first = years[0]!.events;
    expect(again.filter((event, i) => !isDeepStrictEqual(event, first[i]))).toEqual([]);
    expect(again.length).toBeGreaterThan(100_000);
  }, 60_000);
});
