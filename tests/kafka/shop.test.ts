import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareState, formatComparison, recomputeUci, type Recomputation } from '../../models/recompute/index.ts';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { startKafka } from '../../scripts/kafka/broker.ts';
import { startRegistry, type SchemaRegistryServer } from '../../scripts/registry/registry.ts';
import { hostTarget, HostStateReader } from '../../serving/host/index.ts';
import { ingest, openUciOnlineRetail } from '../../sources/index.ts';
import { temporaryFolder, uciFiles, writeSlices } from '../equality/shop-run.ts';
import { atFullSize } from '../support/at-full-size.ts';
import { describeWithKafka } from './real-kafka.ts';
import { ShopInstance } from './shop-instance.ts';

/**
 * The whole shop on a real broker and a real registry: what the embedded equality tests show, with instances that share the work. As a
 * proof (`npm run proofs:kafka`) with all lines of both years.
 */
describeWithKafka('the shop on a real broker', () => {
  let registry: SchemaRegistryServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let files: readonly string[];
  let expected: Recomputation;
  beforeAll(async () => {
    registry = await startRegistry();
    folder = await temporaryFolder();
    files = atFullSize ? uciFiles : await writeSlices(folder.path, 600);
    expected = await recomputeUci(files);
  }, 290_000);
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it.each(atFullSize ? [1, 2, 3] : [1, 3])(
    '%i instance(s) leave every row that a recomputation gives, and each answers for all',
    { timeout: atFullSize ? 4 * 3_600_000 : 300_000 },
    async (count) => {
      // A broker each: the shop's topics have one name.
      await using broker = await startKafka();
      const shop = { brokers: broker.address, registry: registry.url, applicationId: 'shop', partitions: 4 };
      const open: ShopInstance[] = [];
      try {
        for (let at = 0; at < count; at++) open.push(await ShopInstance.start(shop));
        await loadAndCompare(open);
      } finally {
        for (const instance of open) await instance[Symbol.asyncDispose]();
      }
    },
  );

  async function loadAndCompare(open: readonly ShopInstance[]): Promise<void> {
    const { host, registry: schemas } = open[0]!;
    const startedMs = performance.now();
    const serde = await interactionSerde(schemas, shopTopics.interactions);
    for (const file of files) {
      await ingest({ source: await openUciOnlineRetail(file), target: hostTarget(host, host.partitions), serde });
    }
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(`${open.length} instance(s): loaded and processed in ${seconds} s`);
    // Another one than that which took the events.
    const asked = open.at(-1)!;
    const comparison = await compareState(expected, new HostStateReader(asked.host, asked.view));
    expect(formatComparison(comparison)).toMatch(/Everything compared is equal\.$/);
    for (const path of await paths(asked)) {
      const answers = await Promise.all(open.map((instance) => instance.get<{ readonly asOf: unknown }>(path)));
      expect(answers[0]).toMatchObject({ status: 200 });
      for (const { status, body } of answers) {
        expect([status, { ...body, asOf: null }]).toEqual([200, { ...answers[0]!.body, asOf: null }]);
      }
    }
  }
});

/** Questions of every kind, about what the events have named. */
async function paths(instance: ShopInstance): Promise<string[]> {
  const range = '/v1/stores/product-stats/range?limit=1000';
  const { body } = await instance.get<{ readonly rows: readonly { readonly key: string }[] }>(range);
  const ids = body.rows.filter((_, at) => at % 50 === 0).map(({ key }) => key);
  return [
    range,
    '/v1/trending',
    '/v1/products?q=red',
    ...ids.flatMap((id) => [`/v1/stores/product-stats/keys/${id}`, `/v1/products/${id}/similar`]),
    `/v1/stores/product-hours/windows/${ids[0]}`,
  ];
}
