import {
  compareState,
  formatComparison,
  recomputeLog,
  type CatalogueCounts,
  type LogEvent,
  type Recomputation,
} from '../../models/recompute/index.ts';
import { shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry, type Interaction, type Product, type SchemaRegistry } from '../../schemas/index.ts';
import { Host } from '../../serving/host/host.ts';
import type { HostStateReader } from '../../serving/host/index.ts';
import type { Answers } from '../../serving/host/messages.ts';
import { recordedEvents, recordedVersions } from '../../serving/host/recorded-events.ts';
import { readerWithView, viewOf } from '../../serving/view/served-state.ts';
import type { Acknowledged } from './http-producers.ts';
import { versionName } from './pieces.ts';

/** What is wrong with a data folder after its lives, in sentences; empty when nothing is. */
export interface Verdict {
  readonly problems: readonly string[];
  readonly counts: Recomputation['counts'] & { readonly clean: number };
  readonly versions: CatalogueCounts;
  readonly comparison: string;
}

/**
 * Opens the folder once more, with the topology at rest, and holds everything in it against its log:
 *
 * - the state of the active generation: every row of every table, and the lists, equal the recomputation over the log;
 * - the outputs: `interactions.clean` is `interactions` without repeats, each partition in its order;
 * - the acknowledged: every event id is in `interactions.clean`, once, and every version in `products.history`.
 */
export async function judge(dataDir: string, acknowledged: Acknowledged): Promise<Verdict> {
  await using host = await Host.open({ dataDir, runs: false });
  const reader = await readerWithView(host, viewOf(host));
  const registry = await openEmbeddedRegistry(dataDir);
  const lags = await host.request<'lag'>({ kind: 'lag' });
  return await judgeShop({ host, reader, registry, lags }, acknowledged);
}

/** The same of a shop that is open and at rest. `lags`: of all its instances. */
export async function judgeShop(
  { host, reader, registry, lags }: OpenShop,
  acknowledged: Acknowledged,
): Promise<Verdict> {
  const upTo = await reader.asOf();
  const problems: string[] = [];

  const behind = lags
    .filter(({ lagRecords }) => lagRecords !== 0)
    .map(({ topic, partition }) => `${topic} ${partition}`);
  if (behind.length > 0) problems.push(`Not processed to the end: ${behind.join(', ')}.`);

  const generations = await host.request<'generations'>({ kind: 'generations' });
  const { parameters, startOffsets: from } = generations.find(({ state }) => state === 'active')!;
  const versions = recordedVersions(host, { registry, upTo, from });
  const expected = await recomputeLog(recordedEvents(host, { registry, upTo, from }), { versions, parameters });
  const compared = await compareState(expected, reader);
  const comparison = formatComparison(compared);
  if (!compared.equal) problems.push(`The state differs from the recomputation:\n${comparison}`);

  const wanted = firstOfEach(await gather(recordedEvents(host, { registry, upTo })));
  const ends = lags.map((lag) => ({ ...lag, offset: lag.endOffset }));
  const found = await gather(recordedEvents(host, { registry, upTo: ends, topic: shopTopics.clean }));
  problems.push(...differentOutputs(wanted, found));

  const times = new Map<string, number>();
  for (const { id } of found.flat()) times.set(id, (times.get(id) ?? 0) + 1);
  let lost = 0;
  let repeated = 0;
  for (const id of acknowledged.events) {
    if (!times.has(id)) lost += 1;
    else if (times.get(id)! > 1) repeated += 1;
  }
  const all = acknowledged.events.size;
  if (lost > 0) problems.push(`${lost} of ${all} acknowledged events are not in the outputs.`);
  if (repeated > 0) problems.push(`${repeated} of ${all} acknowledged events are there more than once.`);

  const lostVersions = new Set(acknowledged.versions);
  for await (const { value } of recordedVersions(host, { registry, upTo }))
    lostVersions.delete(versionName(value as Product));
  if (lostVersions.size > 0) {
    problems.push(`${lostVersions.size} of ${acknowledged.versions.size} acknowledged versions are not in the log.`);
  }
  const clean = found.flat().length;
  return { problems, counts: { ...expected.counts, clean }, versions: expected.catalogue.counts, comparison };
}

export interface OpenShop {
  readonly host: Host;
  readonly reader: HostStateReader;
  readonly registry: SchemaRegistry;
  readonly lags: Answers['lag'];
}

interface Seen {
  readonly id: string;
  readonly text: string;
}

/** By partition, in log order. */
async function gather(events: AsyncIterable<LogEvent>): Promise<Seen[][]> {
  const partitions: Seen[][] = [];
  for await (const { partition, value } of events) {
    // All events here come through the front door, so every one can be decoded.
    const { eventId } = value as Interaction;
    (partitions[partition] ??= []).push({ id: eventId, text: JSON.stringify(value) });
  }
  return partitions;
}

/** Every id of this test has one timestamp, so a repeat is a repeat whatever the horizon. */
function firstOfEach(partitions: readonly Seen[][]): Seen[][] {
  // A partition that nothing was read of is a hole.
  return Array.from(partitions, (events: readonly Seen[] | undefined) => {
    const ids = new Set<string>();
    return (events ?? []).filter(({ id }) => !ids.has(id) && ids.add(id));
  });
}

function differentOutputs(wanted: readonly Seen[][], found: readonly Seen[][]): string[] {
  const problems: string[] = [];
  for (const [partition, events] of wanted.entries()) {
    const outputs = found[partition] ?? [];
    const at = events.findIndex(({ text }, place) => outputs[place]?.text !== text);
    if (at === -1 && outputs.length === events.length) continue;
    problems.push(
      `Partition ${partition} of ${shopTopics.clean} wants ${events.length} events, found ${outputs.length}; ` +
        `at ${at} it wants ${events[at]?.id}, found ${outputs[at]?.id}.`,
    );
  }
  return problems;
}
