import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startKafka } from '../../scripts/kafka/broker.ts';
import { startRegistry } from '../../scripts/registry/registry.ts';
import { HostStateReader } from '../../serving/host/index.ts';
import type { GenerationFacts } from '../../serving/host/messages.ts';
import { HttpProducers } from '../kill/http-producers.ts';
import { judgeShop, type Verdict } from '../kill/verdict.ts';
import { LookUps } from '../support/look-ups.ts';
import { describeWithKafka } from './real-kafka.ts';
import { ShopInstance } from './shop-instance.ts';

/** What tests/long/live-replay.test.ts shows of one folder, with instances that share the work. */
describeWithKafka('generations of a shop on a real broker', () => {
  it(
    'a replay with other parameters takes over on all instances without a gap, and so does the way back',
    { timeout: 590_000 },
    async () => {
      await using broker = await startKafka();
      await using registry = await startRegistry();
      const shop = { brokers: broker.address, registry: registry.url, applicationId: 'shop', partitions: 2 };
      await using one = await ShopInstance.start(shop);
      await using two = await ShopInstance.start(shop);
      const instances = [one, two];
      const producers = new HttpProducers({ producers: 2, eventsPerRequest: 20, pauseMs: 200 });
      const { events } = producers.acknowledged;
      producers.sendTo(one.server.url);
      while (events.size < 600) await sleep(20);
      const asking = await startLookUps();

      const parameters = { pairPositions: 2, sessionGapMs: 60_000 };
      const replay = await post<GenerationFacts>(two, '/v1/replays', { parameters });
      expect(replay).toMatchObject({ status: 202, body: { id: 2, state: 'replaying', parameters } });
      expect(await post(one, '/v1/replays', {})).toMatchObject({
        status: 409,
        body: { error: { code: 'REPLAY_RUNNING' } },
      });
      await becomesActive(instances, 2);
      await more(300);
      await answered(asking);
      expect(await verdict()).toEqual([]);

      // A third instance, with an empty folder, finds the second generation; it helps on the way back.
      await using three = await ShopInstance.start(shop);
      instances.push(three);
      await caughtUp();
      const askingAll = await startLookUps();
      expect(await post(one, '/v1/generations/1/activate')).toMatchObject({ status: 202, body: { id: 1 } });
      producers.sendTo(two.server.url);
      await becomesActive(instances, 1);
      await more(200);
      await answered(askingAll);
      expect(await verdict()).toEqual([]);

      await fetch(`${three.server.url}/v1/generations/2`, { method: 'DELETE' });
      expect((await generations(two)).map(({ id }) => id)).toEqual([1]);
      expect(await topicsOf(one, 'shop.g2')).toEqual([]);

      async function startLookUps(): Promise<readonly LookUps[]> {
        const lookUps = instances.map(({ server }) => new LookUps(server.url));
        for (const each of lookUps) each.start();
        for (const each of lookUps) while (each.answers < answersBefore) await sleep(10);
        return lookUps;
      }

      async function answered(lookUps: readonly LookUps[]): Promise<void> {
        for (const each of lookUps) await each.stop();
        expect(lookUps.flatMap(({ failures }) => failures)).toEqual([]);
        for (const { answers } of lookUps) expect(answers).toBeGreaterThan(2 * answersBefore);
      }

      async function more(count: number): Promise<void> {
        const wanted = events.size + count;
        while (events.size < wanted) await sleep(20);
        await producers.pause();
      }

      async function caughtUp(): Promise<void> {
        for (const each of instances) await each.host.request<'caughtUp'>({ kind: 'caughtUp' });
      }

      async function verdict(): Promise<Verdict['problems']> {
        const [{ host }] = instances as [ShopInstance];
        const asked = instances.at(-1)!;
        await caughtUp();
        const lags = (await Promise.all(instances.map((each) => each.host.request<'lag'>({ kind: 'lag' })))).flat();
        const reader = new HostStateReader(asked.host, asked.view);
        const { problems } = await judgeShop({ host, reader, registry: asked.registry, lags }, producers.acknowledged);
        return problems;
      }
    },
  );
});

/** Of each instance, before a generation is asked for. */
const answersBefore = 20;

async function post<Body>(
  { server }: ShopInstance,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: Body }> {
  const headers = { 'content-type': 'application/json' };
  const init = body === undefined ? {} : { headers, body: JSON.stringify(body) };
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', ...init });
  return { status: answer.status, body: (await answer.json()) as Body };
}

async function generations(instance: ShopInstance): Promise<readonly GenerationFacts[]> {
  for (;;) {
    const { status, body } = await instance.get<Generations>('/v1/generations');
    if (status === 200) return body.generations;
    expect(status).toBe(503); // Brokers are asked, and may be slow.
    await sleep(200);
  }
}

interface Generations {
  readonly generations: readonly GenerationFacts[];
}

async function becomesActive(instances: readonly ShopInstance[], id: number): Promise<void> {
  for (const instance of instances) {
    for (;;) {
      const generation = (await generations(instance)).find((other) => other.id === id)!;
      expect(generation.progress?.error ?? null).toBeNull();
      if (generation.state === 'active') break;
      await sleep(50);
    }
  }
}

/** Those of an application, by what a read of them says. */
async function topicsOf({ host }: ShopInstance, applicationId: string): Promise<string[]> {
  const names = [`${applicationId}-interactions.clean`, `${applicationId}-pairs-changelog`];
  const found = await Promise.all(
    names.map((topic) =>
      host.request<'read'>({ kind: 'read', topic, partition: 0, offset: 0, maxRecords: 1 }).then(
        () => [topic],
        (error: { readonly code: string }) => (error.code === 'TOPIC_NOT_FOUND' ? [] : [`${topic}: ${error.code}`]),
      ),
    ),
  );
  return found.flat();
}
