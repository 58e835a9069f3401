import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startKafka } from '../../scripts/kafka/broker.ts';
import { startRegistry } from '../../scripts/registry/registry.ts';
import { writeSlices } from '../equality/shop-run.ts';
import { MillraceProcess } from '../startup/millrace-process.ts';
import { describeWithKafka } from './real-kafka.ts';

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: { readonly value?: unknown; readonly stale?: { readonly lagRecords: number } };
}

/** The command line on a cluster, as an operator runs it. */
describeWithKafka('instances of the shop', () => {
  it(
    'answer for every key; one that is killed is missed for a session time-out, while standbys answer who lets them',
    { timeout: 300_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-instances-'));
      await using broker = await startKafka();
      await using registry = await startRegistry();
      const cluster = ['--kafka', broker.address, '--registry', registry.url];
      const start = (name: string, threads: string) =>
        new MillraceProcess([
          ...['start', ...cluster, '--standby-replicas', '1', '--stream-threads', threads],
          ...['--partitions', '2', '--port', '0', '--data-dir', join(folder, name)],
        ]);
      try {
        await using one = start('one', '1');
        const first = await one.url();
        await using two = start('two', '2');
        const second = await two.url();
        const [file] = await writeSlices(folder, 300);
        await using load = new MillraceProcess(['ingest', 'events', file!, '--format', 'uci', ...cluster]);
        expect(await load.ended).toMatchObject({
          code: 0,
          stdout: expect.stringContaining('296 events accepted') as string,
        });

        const range = '/v1/stores/product-stats/range?limit=1000';
        const rows = await until(async () => {
          const { body } = await ask<{
            readonly rows: readonly { readonly key: string; readonly value: { readonly purchases: number } }[];
          }>(first, range);
          return body.rows.reduce((sum, { value }) => sum + value.purchases, 0) > 250 ? body.rows : undefined;
        });
        const paths = rows.slice(0, 40).map(({ key }) => `/v1/stores/product-stats/keys/${key}`);
        const before = await answers(second, paths);
        expect(before).toEqual(await answers(first, paths));
        expect(before.every(({ status }) => status === 200)).toBe(true);
        // Standbys are near the end of what they follow.
        await until(async () => (await caughtUp(second)) || undefined);

        one.signal('SIGKILL');
        await one.ended;
        const missed = await answers(second, paths);
        expect(missed.some(({ status }) => status === 503)).toBe(true);
        for (const { status, retryAfter } of missed)
          expect([status, retryAfter]).toEqual(status === 503 ? [503, '1'] : [200, null]);
        const stale = await answers(
          second,
          paths.map((path) => `${path}?stale=ok`),
        );
        expect(stale.map(({ body: { value } }) => value)).toEqual(before.map(({ body: { value } }) => value));
        for (const { body } of stale) expect(body.stale?.lagRecords).toBeGreaterThanOrEqual(0);

        const after = await until(async () => {
          const all = await answers(second, paths);
          return all.every(({ status }) => status === 200) ? all : undefined;
        });
        expect(after).toEqual(before);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

async function ask<Body>(
  url: string,
  path: string,
): Promise<{ readonly status: number; readonly retryAfter: string | null; readonly body: Body }> {
  const answer = await fetch(`${url}${path}`);
  const retryAfter = answer.headers.get('retry-after');
  return { status: answer.status, retryAfter, body: (await answer.json()) as Body };
}

/** Without the offsets, which are known to each instance as far as it has heard of them. */
async function answers(url: string, paths: readonly string[]): Promise<Answer[]> {
  const all: Answer[] = [];
  for (const path of paths) {
    const { body, ...rest } = await ask<{ readonly asOf?: unknown } & Answer['body']>(url, path);
    const { asOf: _, ...told } = body;
    all.push({ ...rest, body: told });
  }
  return all;
}

async function caughtUp(url: string): Promise<boolean> {
  const { body } = await ask<{ readonly totalRecords: number }>(url, '/v1/lag');
  return body.totalRecords === 0;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(200);
  }
}
