import { noteOwner } from '../../state/index.ts';
import type { MillraceError } from '../../schemas/index.ts';
import { Host, openRegistry, openStreamThreads, threadUrl } from '../../serving/host/index.ts';
import { type ApiHost, hostMemory, memoryShares, startServer } from '../../serving/index.ts';
import { planDataset, type DatasetChoice } from '../dataset/plan-dataset.ts';
import { exitCodes } from '../exit-codes.ts';
import { kafkaSettings } from '../kafka-settings.ts';
import { errorReport } from '../report-error.ts';
import type { Settings } from '../settings.ts';
import { Shutdown } from '../shutdown.ts';
import { print, warn } from '../terminal.ts';

/**
 * Opens the data folder, serves it, and stays until SIGTERM or Ctrl-C. Stops in the order of the data's way: no new
 * requests, no more lines read, the batch under way finished and committed, the folder closed.
 */
export async function start(settings: Settings, dataset: DatasetChoice): Promise<number> {
  const { dataDir, port, host: address, partitions, syncWrites, pace } = settings;
  const kafka = kafkaSettings(settings);
  const run = await planDataset(dataset, settings);
  const memory = memoryShares((settings.memory * 1024 ** 2) / settings.streamThreads);
  using shutdown = new Shutdown(settings.stopDeadlineMs);
  const opening = { dataDir, partitions, syncWrites, ...hostMemory(memory) };
  // On a cluster it joins the group when it can be reached.
  await using host = await Host.open(kafka === undefined ? opening : { ...opening, kafka, runs: false });
  const more = kafka === undefined ? 0 : settings.streamThreads - 1;
  await using threads = await openStreamThreads({ ...opening, ...(kafka && { kafka }) }, more);
  const hosts = [host, ...threads.hosts];
  const failure = new TopologyFailure();
  for (const { from, to, what } of host.migrated) {
    warn(`The data folder was taken from format ${from} to ${to}: ${what}.`);
  }
  for (const each of hosts) {
    each.onStorage((error) =>
      warn(error === undefined ? 'The data folder can be written again; everything goes on.' : errorReport(error).text),
    );
    each.onNotice(warn);
  }
  const registry = await openRegistry(dataDir, kafka?.registry);
  await using server = await startServer({
    host: failure.heardOf(host),
    threads: threads.hosts.map((thread) => failure.heardOf(thread)),
    ...{ registry, address, port, memory },
  });
  const { url } = server;
  await noteOwner(dataDir, { url });
  if (kafka !== undefined) {
    const reached = settings.advertisedUrl || url;
    for (const [at, each] of hosts.entries())
      await each.request<'start'>({ kind: 'start', url: threadUrl(reached, at) });
  }
  print(`Millrace serves ${kafka === undefined ? dataDir : `${kafka.applicationId} on ${settings.kafka}`} at ${url}`);
  if (!isLoopback(address)) warn(`${address} may be reached from other machines, and there are no users or keys.`);
  if (host.partitions !== partitions)
    warn(
      `${kafka === undefined ? 'The data folder' : 'The topic'} keeps the ${host.partitions} partitions it was made with.`,
    );
  const ended = new Promise<never>((_, reject) => hosts.forEach((each) => each.onEnded(reject)));
  const work = run?.({ host, url, dataDir, pace, live: dataset.live, signal: shutdown.signal });
  await Promise.race([ended, work?.then(() => shutdown.wait()) ?? shutdown.wait()]);
  warn('Stopping …');
  await server.close();
  for (const each of hosts) await each.close();
  return failure.error === undefined ? exitCodes.ok : errorReport(failure.error).exitCode;
}

/** Tells people that the topology has stopped. Look-ups and the log go on, so the process does. */
class TopologyFailure {
  error: MillraceError | undefined;

  /** The host takes one listener, and that is the server; this one listens in between. */
  heardOf(host: Host): ApiHost {
    return {
      partitions: host.partitions,
      publishedStores: host.publishedStores,
      request: (request, transfer) => host.request(request, transfer),
      onPublication: (listener) => host.onPublication(listener),
      onTopologyFailed: (listener) =>
        host.onTopologyFailed((error) => {
          this.error = error;
          warn(`${errorReport(error).text}\nThe topology has stopped; the log and look-ups go on.`);
          listener(error);
        }),
    };
  }
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}
