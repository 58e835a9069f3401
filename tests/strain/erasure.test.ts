import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry, type Interaction } from '../../schemas/index.ts';
import { recordedEvents } from '../../serving/host/recorded-events.ts';
import { Host, startServer } from '../../serving/index.ts';
import { HttpProducers } from '../kill/http-producers.ts';
import { judge } from '../kill/verdict.ts';

/**
 * Users are forgotten while their events, those of others and versions of products go on coming. In the end the state is what a
 * recomputation makes of the log as it is then, and whoever was forgotten last of all is in no topic.
 */
const dataDir = join(mkdtempSync(join(tmpdir(), 'millrace-erasure-')), 'data');
afterAll(() => rmSync(join(dataDir, '..'), { recursive: true }));

const users = Array.from({ length: 6 }, (_, at) => `http-${at % 2}:user:${1 + at}`);

test('forgetting users while events stream in leaves the state of a log without them', async () => {
  {
    await using host = await Host.open({ dataDir, partitions: 3, commitIntervalMs: 50 });
    const registry = await openEmbeddedRegistry(dataDir);
    await using server = await startServer({ host, registry, port: 0 });
    const forget = async (user: string): Promise<number> => {
      const response = await fetch(`${server.url}/v1/users/${user}`, { method: 'DELETE' });
      expect(response.status).toBe(200);
      return ((await response.json()) as { events: number }).events;
    };
    const producers = new HttpProducers({ producers: 2, eventsPerRequest: 40, pauseMs: 100 });
    producers.sendTo(server.url);
    let forgotten = 0;
    for (const user of [...users, ...users]) {
      const enough = producers.acknowledged.events.size + 400;
      while (producers.acknowledged.events.size < enough) await sleep(5);
      forgotten += await forget(user);
    }
    await producers.pause();
    expect(forgotten).toBeGreaterThan(100);
    // Events have come since they were forgotten.
    let since = 0;
    for (const user of users) since += await forget(user);
    expect(since).toBeGreaterThan(0);
    for (const user of users) {
      const { status } = await fetch(`${server.url}/v1/users/${user}/profile`);
      expect(status).toBe(404);
    }
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    for (const topic of [shopTopics.interactions, shopTopics.clean]) {
      const left = await usersIn(host, topic, registry);
      expect(left.size).toBeGreaterThan(10);
      expect(users.filter((user) => left.has(user))).toEqual([]);
    }
  }
  const { problems, counts } = await judge(dataDir, { events: new Set(), versions: new Set() });
  expect(problems).toEqual([]);
  expect(counts.clean).toBeGreaterThan(2000);
});

async function usersIn(
  host: Host,
  topic: string,
  registry: Awaited<ReturnType<typeof openEmbeddedRegistry>>,
): Promise<ReadonlySet<string>> {
  const lags = await host.request<'lag'>({ kind: 'lag' });
  const ends = lags.map((lag) => ({ ...lag, offset: lag.endOffset }));
  const found = new Set<string>();
  for await (const { value } of recordedEvents(host, { registry, upTo: ends, topic })) {
    const { userId } = value as Interaction;
    if (userId !== null) found.add(userId);
  }
  return found;
}
