import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { ingest, openUciOnlineRetail } from '../../sources/index.ts';
import { Host, hostTarget, startServer } from '../../serving/index.ts';
import { temporaryFolder, uciFiles } from '../equality/shop-run.ts';

/**
 * A server whose topology is half a million events behind: whoever asks is answered, whoever posts is too, and answers
 * get newer meanwhile.
 */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

/** A known product and user, processed before the backlog comes, so that every question below has an answer. */
const known = ['pot', 'cup'].map((productId, place) => ({
  ...{ eventId: `known-${place}`, sessionId: 'known', userId: 'known', productId, type: 'purchase', price: 10_000 },
  timestamp: Date.UTC(2009, 0, 1),
}));

interface Offsets {
  readonly asOf: readonly { readonly offset: number }[];
}

interface Lag {
  readonly partitions: readonly {
    readonly topic: string;
    readonly committedOffset: number;
    readonly endOffset: number;
  }[];
}

beforeAll(async () => {
  folder = await temporaryFolder();
  {
    await using system = await start();
    expect(await system.post(known)).toMatchObject({ status: 200, body: { accepted: 2 } });
    await system.host.request<'caughtUp'>({ kind: 'caughtUp' });
  }
  // The topology rests while the backlog is written.
  await using host = await Host.open({ dataDir: folder.path, runs: false });
  const serde = await interactionSerde(await openEmbeddedRegistry(folder.path), shopTopics.interactions);
  const target = hostTarget(host, host.partitions);
  await ingest({ source: await openUciOnlineRetail(uciFiles[0]!), target, serde });
});

afterAll(() => folder[Symbol.asyncDispose]());

async function start() {
  const host = await Host.open({ dataDir: folder.path });
  const server = await startServer({ host, registry: await openEmbeddedRegistry(folder.path), port: 0 });
  async function ask<T>(path: string, init?: RequestInit): Promise<{ readonly status: number; readonly body: T }> {
    const answer = await fetch(`${server.url}${path}`, init);
    return { status: answer.status, body: (await answer.json()) as T };
  }
  return {
    host,
    get: <T>(path: string) => ask<T>(path),
    post: (events: readonly object[]) =>
      ask<{ readonly accepted: number }>('/v1/events', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(events),
      }),
    async [Symbol.asyncDispose]() {
      await server.close();
      await host.close();
    },
  };
}

const sum = ({ asOf }: Offsets): number => asOf.reduce((total, { offset }) => total + offset, 0);

const questions = [
  '/v1/products/pot/similar',
  '/v1/users/known/recommendations',
  '/v1/products/pot',
  '/v1/users/known/profile',
  '/v1/stores/user-profiles/keys/known',
  '/v1/stores/product-stats/keys/pot',
  '/v1/overview',
];

test('behind by a year, every look-up, query and post is answered, answers get newer, and what was posted shows', async () => {
  await using system = await start();
  const ofEvents = async () =>
    (await system.get<Lag>('/v1/lag')).body.partitions.find(({ topic }) => topic === shopTopics.interactions)!;
  const backlogEnd = (await ofEvents()).endOffset;
  const refused: string[] = [];
  const seen: number[] = [];
  let posted = 0;
  let roundsBehind = 0;
  while ((await ofEvents()).committedOffset < backlogEnd) {
    roundsBehind += 1;
    const event = { eventId: `posted-${posted}`, userId: `late-${posted}`, productId: 'late', type: 'view' };
    const [taken, ...answers] = await Promise.all([
      system.post([event]),
      ...questions.map((path) => system.get<Partial<Offsets>>(path)),
    ]);
    if (taken.status !== 200 || taken.body.accepted !== 1) refused.push(`POST: ${JSON.stringify(taken)}`);
    posted += 1;
    for (const [at, { status, body }] of answers.entries()) {
      if (status !== 200) refused.push(`${questions[at]}: ${status} ${JSON.stringify(body)}`);
    }
    const [similar] = answers;
    if (similar?.status === 200) seen.push(sum(similar.body as Offsets));
    await sleep(20);
  }
  console.log(
    `${roundsBehind} rounds while behind, ${posted} events posted, ${new Set(seen).size} states seen up to ${seen.at(-1)}`,
  );
  expect(refused).toEqual([]);
  expect(roundsBehind).toBeGreaterThanOrEqual(10);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(new Set(seen).size).toBeGreaterThanOrEqual(3);

  await system.host.request<'caughtUp'>({ kind: 'caughtUp' });
  while (sum((await system.get<Offsets>('/v1/products/pot/similar')).body) < backlogEnd + posted) await sleep(5);
  expect((await system.get('/v1/products/late')).body).toMatchObject({ views: posted });
  expect((await system.get('/v1/stores/user-profiles/keys/late-0')).body).toMatchObject({ value: { views: 1 } });
});
