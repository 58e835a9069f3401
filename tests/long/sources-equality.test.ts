import { describe, expect, test } from 'vitest';
import { formatComparison } from '../../models/recompute/index.ts';
import {
  generatedSource,
  InteractionStream,
  openRees46,
  openRetailRocket,
  type EventSource,
} from '../../sources/index.ts';
import { catalogueOf, laterVersions, openSample, productsOf, sourceOf } from '../equality/catalogues.ts';
import { compareWithLog, type ShopIngest } from '../equality/log-equality.ts';
import { temporaryFolder } from '../equality/shop-run.ts';
import { atFullSize } from '../support/at-full-size.ts';
import { requires } from '../support/requires.ts';

/**
 * Equal to the batch where there is a catalogue that changes: events of three more sources with views, carts and sessions,
 * against a recomputation from the two source topics (docs/architecture/verify.md). Versions come before the events, between
 * them and after them, with times before, within and behind those of the events.
 */
const data = requires('test-data', 'has event files that may not be shipped');

describe('every row of every table equals the recomputation', () => {
  data.test('of an excerpt of REES46, 4 partitions', async () => {
    const file = `${process.env['MILLRACE_TEST_DATA']}/rees46/2019-Oct_excerpt.csv`;
    await check(4, await openRees46(file), [Date.UTC(2019, 8, 1), Date.UTC(2019, 9, 1, 1, 30)]);
  });

  data.test('of 5,000 visitors of RetailRocket, 1 partition', async () => {
    const file = `${process.env['MILLRACE_TEST_DATA']}/retailrocket/sample_events.csv`;
    await check(1, await openRetailRocket(file), [Date.UTC(2015, 4, 1), Date.UTC(2015, 6, 1)]);
  });

  test.each(atFullSize ? [1, 4] : [4])(
    'of 40,000 generated events over the Amazon sample, %i partition(s)',
    async (partitions) => {
      const startMs = Date.UTC(2025, 0, 1);
      const sample = await productsOf(await openSample(startMs));
      const stream = new InteractionStream(sample, { users: 3000, eventsPerDay: 8_000, startMs });
      const generated = () => generatedSource(stream, { events: 40_000 });
      await checkLoad(partitions, async (shop) => {
        await shop.products(sourceOf('sample', sample));
        await shop.events(generatedSource(stream, { events: 25_000 }));
        await shop.products(sourceOf('later', laterVersions(sample, startMs + 36 * 3_600_000)));
        // The first 25,000 come again.
        await shop.events(generated());
        await shop.products(sourceOf('once more', laterVersions(sample, startMs + 37 * 3_600_000)));
      });
    },
  );
});

/** `times`: from when on the catalogue holds, and its changes. */
async function check(partitions: number, events: EventSource, [from, later]: readonly [number, number]): Promise<void> {
  const products = await catalogueOf(events, from);
  const half = Math.ceil(products.length / 2);
  await checkLoad(partitions, async (shop) => {
    await shop.products(sourceOf('first half', products.slice(0, half)));
    await shop.events(events);
    await shop.products(sourceOf('all', products));
    await shop.products(sourceOf('later', laterVersions(products, later)));
  });
}

async function checkLoad(partitions: number, load: (shop: ShopIngest) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  const { expected, comparison } = await compareWithLog({ dataDir: folder.path, partitions, load });
  const text = formatComparison(comparison);
  console.log(
    `${partitions} partition(s): ${JSON.stringify({ ...expected.counts, versions: expected.catalogue.counts })}\n${text}`,
  );
  expect(text).toMatch(/Everything compared is equal\.$/);
  expect(comparison.tables.filter(({ skipped }) => skipped !== undefined)).toEqual([]);
  // None of these events brings a title.
  const empty = comparison.tables.filter((table) => table.expected === 0).map(({ name }) => name);
  expect(empty).toEqual(['product-titles']);
  const { accepted, late, same } = expected.catalogue.counts;
  for (const count of [accepted, late, same]) expect(count).toBeGreaterThan(0);
}
