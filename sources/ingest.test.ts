import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, expect, test } from 'vitest';
import { avroSerde, interactionSchema, openEmbeddedRegistry, type Interaction, type Serde } from '../schemas/index.ts';
import type { EventSource } from './event-source.ts';
import { ingest, type IngestTarget } from './ingest.ts';
import { readUciOnlineRetail } from './uci-online-retail.ts';

let folder: string;
let serde: Serde<Interaction>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-ingest-'));
  const registry = await openEmbeddedRegistry(folder);
  serde = await avroSerde<Interaction>(registry, { subject: 'interactions-value', schema: interactionSchema });
  return () => rm(folder, { recursive: true });
});

const header = 'Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n';
const row = (code: string, day: string, quantity = 1) =>
  `536365,${code},A LANTERN,${quantity},${day} 08:00:00,2.55,17850.0,United Kingdom\n`;

/** Seen from `nowMs`: two rows of the past, one that cannot be used, one of next year. */
const text = [
  header,
  row('A', '2010-12-01'),
  row('B', '2010-12-01', 0),
  row('C', '2012-01-01'),
  row('D', '2010-12-02'),
];
const nowMs = () => Date.UTC(2011, 0, 1);

function file(lines: readonly string[]): EventSource {
  const chunk = Buffer.from(lines.join(''));
  return {
    name: 'shop.csv',
    bytesTotal: chunk.length,
    batches: () => readUciOnlineRetail(Readable.from([chunk]), 'shop.csv'),
  };
}

/** So many batches of a thousand rows. */
function batchesOf(count: number): EventSource {
  return file([header, ...Array.from({ length: 1000 * count }, (_, at) => row(`P${at}`, '2010-12-01'))]);
}

/** Keeps what it is given, and answers an append of events when `release` says so. */
class Target implements IngestTarget {
  readonly partitions = 1;
  readonly products: string[] = [];
  readonly letters: { readonly id: string; readonly value: string; readonly [header: string]: string }[] = [];
  readonly #release: (append: number) => Promise<void> | void;
  #appends = 0;
  underWay = 0;

  constructor(release: (append: number) => Promise<void> | void = () => undefined) {
    this.#release = release;
  }

  async appendEvents(records: Parameters<IngestTarget['appendEvents']>[0]): Promise<void> {
    this.underWay += 1;
    try {
      await this.#release(this.#appends++);
      this.products.push(...records.map(({ value }) => serde.deserialize(value!).productId));
    } finally {
      this.underWay -= 1;
    }
  }

  async appendDeadLetters(letters: Parameters<IngestTarget['appendDeadLetters']>[0]): Promise<void> {
    for (const { id, value, headers } of letters) {
      const facts = (headers ?? []).map(({ key, value: of }) => [key, Buffer.from(of).toString()] as const);
      this.letters.push({ id, value: Buffer.from(value!).toString(), ...Object.fromEntries(facts) });
    }
  }
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('an event of the future is a dead letter with its file, line and rule; the rows around it are events', async () => {
  const target = new Target();
  const progress = await ingest({ source: file(text), target, serde, nowMs });
  expect([progress.events, progress.rejected]).toEqual([2, 2]);
  expect(target.products).toEqual(['A', 'D']);
  expect(target.letters.map((of) => [of['millrace.source.line'], of['millrace.rejected.rule']])).toEqual([
    ['3', 'quantity'],
    ['4', 'future-timestamp'],
  ]);
  const future = target.letters[1]!;
  expect(future['millrace.source.file']).toBe('shop.csv');
  expect(future['millrace.rejected.reason']).toBe(
    'timestamp wants at most 300000 ms ahead of 2011-01-01T00:00:00.000Z, found 2012-01-01T08:00:00.000Z',
  );
  expect(JSON.parse(future.value)).toMatchObject({ productId: 'C', sessionId: '536365' });
});

test('two equal rows of the future are two dead letters', async () => {
  const target = new Target();
  await ingest({ source: file([header, row('C', '2012-01-01'), row('C', '2012-01-01')]), target, serde, nowMs });
  expect(new Set(target.letters.map(({ id }) => id)).size).toBe(2);
});

test('loading the same source again gives the same dead letter ids, also at another time', async () => {
  const [first, second] = [new Target(), new Target()];
  await ingest({ source: file(text), target: first, serde, nowMs });
  await ingest({ source: file(text), target: second, serde, nowMs: () => nowMs() + 86_400_000 });
  expect(first.letters).toHaveLength(2);
  expect(second.letters.map(({ id }) => id)).toEqual(first.letters.map(({ id }) => id));
});

test('pace is asked before each batch, with the events before it', async () => {
  const asked: number[] = [];
  const target = new Target();
  await ingest({ source: batchesOf(3), target, serde, nowMs, pace: (eventsSoFar) => void asked.push(eventsSoFar) });
  expect(asked).toEqual([0, 1000, 2000]);
});

test('an abort ends it with the reason, and nothing is on its way to the log any more', async () => {
  const stop = new AbortController();
  const target = new Target(() => turns(20));
  const pace = (eventsSoFar: number) => {
    if (eventsSoFar === 2000) stop.abort(new Error('stopped'));
  };
  await expect(ingest({ source: batchesOf(8), target, serde, nowMs, pace, signal: stop.signal })).rejects.toThrow(
    'stopped',
  );
  expect(target.underWay).toBe(0);
  expect(target.products).toHaveLength(3000);
});

test.each([0, 2, 7])(
  'a failing append, number %i of 8, is what it throws, when the others have ended',
  async (failing) => {
    const target = new Target(async (append) => {
      await turns(append === failing ? 1 : 20);
      if (append === failing) throw new Error(`disk full at ${append}`);
    });
    await expect(ingest({ source: batchesOf(8), target, serde, nowMs })).rejects.toThrow(`disk full at ${failing}`);
    expect(target.underWay).toBe(0);
    expect(target.products.length % 1000).toBe(0);
  },
);

test('an append that fails while a stop is under way is not passed over', async () => {
  const stop = new AbortController();
  const target = new Target(async () => {
    await turns(20);
    throw new Error('disk full');
  });
  const pace = (eventsSoFar: number) => {
    if (eventsSoFar === 1000) stop.abort();
  };
  const ended = ingest({ source: batchesOf(8), target, serde, nowMs, pace, signal: stop.signal });
  await expect(ended).rejects.toThrow('disk full');
});
