import { shopTopics } from '../../processors/index.ts';
import { followProcessing } from '../load/follow-load.ts';
import { whole } from '../progress.ts';
import { print } from '../terminal.ts';
import { DatasetLoads, type DatasetOptions } from './dataset-loads.ts';
import { printExamples, untilServed } from './examples.ts';
import { uciDataset, uciExamples } from './uci-dataset.ts';

/** The first year as a backfill, examples to try, then the second year live. Returns at its end, or when stopped. */
export async function runUci(options: DatasetOptions): Promise<void> {
  const { host, url, pace, live, signal } = options;
  const { name: dataset, format, title, overlapRows: paceFromRow } = uciDataset;
  const loads = await DatasetLoads.begin(options, { dataset, topics: [shopTopics.interactions] });
  const { name, label, path } = uciDataset.backfill;
  const loaded = await loads.backfill(
    { name, label, path, format, pace: 0 },
    ({ events, rejected, acknowledgedRows }, seconds) =>
      `${label} of ${title}: ${whole(events)} events and ${whole(rejected)} unusable lines in ` +
      `${seconds.toFixed(1)} s, ${whole(acknowledgedRows / seconds)} lines/s.`,
  );
  if (!loaded || !(await followProcessing('Processing', host, signal))) return;
  await untilServed(url, await host.request<'caughtUp'>({ kind: 'caughtUp' }), signal);
  if (signal.aborted) return;
  await printExamples(url, uciExamples, 'less their asOf, and stay while the second year comes in');
  if (!live || signal.aborted) return;
  const speed = pace === 0 ? 'as fast as it goes' : `${whole(pace)} events a second`;
  print(`Streaming year 2 live, ${speed} (--pace). Ctrl-C stops, and the next start goes on.\n`);
  if (await loads.stream({ ...uciDataset.live, format, pace, paceFromRow })) {
    print('Year 2 has been streamed to its end. The server goes on; Ctrl-C stops it.');
  }
}
