import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openInspection } from '../../cli/inspect/inspection.ts';
import type { MillraceError } from '../../schemas/index.ts';
import { openDataFolder, WriteBatchBuilder } from '../../state/index.ts';
import { type Ended, millrace, MillraceProcess } from '../startup/millrace-process.ts';

/** The commands one after another on one data folder, each a process of its own, as a user calls them. */
// Each process takes a second or two to start; several at a time on a machine that has other things to do, many more.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'millrace-commands-'));
const dataDir = join(folder, 'data');
const file = join(folder, 'lines.csv');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const header = 'Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country';

beforeAll(() => {
  const lines = Array.from({ length: 40 }, (_, at) => {
    const [invoice, day] = [500 + Math.floor(at / 4), String(1 + (at % 20)).padStart(2, '0')];
    return `${invoice},P${at % 5},Product ${at % 5},2,2010-03-${day} 10:00:00,1.50,${100 + (at % 3)}.0,France`;
  });
  const unusable = [
    '501,P1,Product 1,0,2010-03-01 10:00:00,1.50,100.0,France',
    '502,P1,Product 1,1,yesterday,1.50,,France',
  ];
  writeFileSync(file, [header, ...lines, ...unusable, ''].join('\n'));
});

const ingest = ['ingest', 'events', file, '--format', 'uci', '--data-dir', dataDir];

test('ingest says what became of every row', async () => {
  const { code, stdout } = await millrace(ingest);
  expect(stdout.replace(/[\d.]+ s\./, 'T s.')).toBe(
    '40 events accepted, 2 rows rejected, in T s.\nRULE      REJECTED\nquantity         1\ndate             1\n' +
      '40 were new, 0 were known.\n',
  );
  expect(code).toBe(0);
});

test('ingest of the same file again changes nothing, and says so', async () => {
  const before = await millrace(['query', 'product-stats', 'P1', '--data-dir', dataDir]);
  const again = await millrace(ingest);
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('0 were new, 40 were known.')]);
  const after = await millrace(['query', 'product-stats', 'P1', '--data-dir', dataDir]);
  const value = ({ stdout }: Ended) => (JSON.parse(stdout) as { value: unknown }).value;
  expect(value(after)).toEqual(value(before));
  expect(value(after)).toMatchObject({ purchases: 8, quantity: 16, revenue: 240_000 });
});

test('query, stores and topology say the same of a folder and, by its address, of the server that has it', async () => {
  const ofFolder = await answers();
  await using server = new MillraceProcess(['start', '--data-dir', dataDir, '--port', '0']);
  const url = await server.url();
  expect(await answers()).toEqual(ofFolder);
  expect(ofFolder.row).toMatchObject({ store: 'user-profiles', key: '101', value: { purchases: 13 } });
  expect(ofFolder.refusals).toEqual([
    'NOT_FOUND',
    "Store 'product-stats' has no key 'nobody/%?#'.",
    'STORE_NOT_FOUND',
    expect.stringMatching(/^There is no store 'nothing'; stores: .*product-stats/),
  ]);
  const query = await millrace(['query', 'user-profiles', '101', '--data-dir', dataDir]);
  expect([query.code, JSON.parse(query.stdout)]).toEqual([0, ofFolder.row]);
  const refused = await millrace(ingest);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain(`is in use by process ${server.pid} (${url})`);
  expect((await server.stop()).code).toBe(0);
});

/** What the commands print is made of. */
async function answers() {
  await using inspection = await openInspection(dataDir);
  const refusals = [];
  for (const [store, key] of [
    ['product-stats', 'nobody/%?#'],
    ['nothing', 'P1'],
  ] as const) {
    const error = await inspection.query(store, key).then(
      () => undefined,
      (refusal: unknown) => refusal as MillraceError,
    );
    refusals.push(error?.code, error?.message);
  }
  const row = await inspection.query('user-profiles', '101');
  const month = await inspection.query('product-hours', 'P1/2010-03');
  const stores = (await inspection.stores()).map(({ name, kind, keySerde, partitions }) => [
    name,
    kind,
    keySerde,
    partitions,
  ]);
  const { text, json } = await inspection.topology();
  return { refusals, row, month, stores, text, json };
}

test('verify ends with 0 on a sound folder, and with 2 when a row was lost', async () => {
  const sound = await millrace(['verify', '--data-dir', dataDir]);
  expect([sound.code, sound.stdout]).toEqual([0, expect.stringMatching(/Everything compared is equal\.\n$/)]);
  expect(sound.stdout).toMatch(/^Events of interactions: read 80, invalid 0, duplicates 40, accepted 40\n/);
  await loseRow('P1/2010-03');
  const damaged = await millrace(['verify', '--data-dir', dataDir]);
  expect([damaged.code, damaged.stdout]).toEqual([2, expect.stringMatching(/Different: product-hours\.\n$/)]);
});

/** Takes the one row of this key out of the database. */
async function loseRow(keyEnd: string): Promise<void> {
  await using engine = await openDataFolder(dataDir);
  const batch = new WriteBatchBuilder();
  for await (const entries of engine.range('state', { gte: Buffer.alloc(0), lt: Buffer.alloc(32, 0xff) })) {
    for (const { key } of entries) if (Buffer.from(key).includes(keyEnd)) batch.delete('state', key.slice());
  }
  expect(batch.operations).toHaveLength(1);
  await engine.write(batch);
}
