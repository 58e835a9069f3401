import { shopTopics } from '../../processors/index.ts';
import { followProcessing } from '../load/follow-load.ts';
import { loadFile } from '../load/load-file.ts';
import { whole } from '../progress.ts';
import { print } from '../terminal.ts';
import { amazonDataset, amazonExamples, shippedCatalogue } from './amazon-dataset.ts';
import { DatasetLoads, type DatasetOptions } from './dataset-loads.ts';
import { printExamples, untilServed } from './examples.ts';
import { type GeneratedShop, historyMinutes, historyParameters, keepShop } from './generated-shop.ts';

const secondsOfDay = 86_400;

/**
 * A catalogue, then a generated history over it as a backfill, examples to try, then generated events in real time. Returns when
 * stopped; without a live phase at the end of the history.
 */
export async function runAmazon(options: DatasetOptions, shop: GeneratedShop): Promise<void> {
  const { host, url, dataDir, pace, live, signal } = options;
  const path = shop.catalogue ?? shippedCatalogue;
  await keepShop(dataDir, shop);
  const topics = [shopTopics.interactions, shopTopics.productsHistory];
  const loads = await DatasetLoads.begin(options, { dataset: amazonDataset.name, topics });
  const { updatedAtMs, title } = amazonDataset;
  const catalogue = { name: 'catalogue', label: 'Catalogue', path, format: 'amazon', catalogue: { updatedAtMs } };
  const history = {
    ...{ name: 'history', label: 'History', path, format: 'generated', rows: shop.events },
    generated: { parameters: historyParameters(shop), minutes: historyMinutes(shop) },
  };
  const loaded =
    (await loads.backfill(
      { ...catalogue, pace: 0 },
      ({ events, rejected, acknowledgedRows }, seconds) =>
        `${title}: ${whole(events)} products and ${whole(rejected)} unusable rows in ${seconds.toFixed(1)} s, ` +
        `${whole(acknowledgedRows / seconds)} rows/s.`,
    )) &&
    (await loads.backfill(
      { ...history, pace: 0 },
      ({ rows, events }, seconds) =>
        `History of ${shop.days} days up to ${new Date(shop.endMs).toISOString()}: ${whole(rows)} generated events of ` +
        `${whole(shop.users)} users, seed ${shop.seed}; ${seconds.toFixed(1)} s, ${whole(events / seconds)} events/s.`,
    ));
  if (!loaded || !(await followProcessing('Processing', host, signal))) return;
  await untilServed(url, await host.request<'caughtUp'>({ kind: 'caughtUp' }), signal);
  if (signal.aborted) return;
  const kept = live ? 'less their asOf, before live events come in and move them' : 'less their asOf';
  await printExamples(url, await amazonExamples(url, shop.endMs), kept);
  if (!live || signal.aborted) return;
  print(
    `Generating live, ${whole(pace)} events a second (--pace). Ctrl-C stops; the next start goes on at its own time.\n`,
  );
  const parameters = { ...historyParameters(shop), eventsPerDay: pace * secondsOfDay, rhythmSwing: 0 };
  await loadFile({
    ...{ host, dataDir, signal, path, format: 'generated', generated: { parameters }, skipRows: 0, pace: 0 },
    onProgress: () => undefined,
  });
}
