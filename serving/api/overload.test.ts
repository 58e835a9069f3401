import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { FakeHost } from './fake-host.ts';
import { buildServer } from './server.ts';

test('questions beyond the bound are turned away with Retry-After, and answered again when there is room', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-overload-'));
  try {
    const host = new FakeHost();
    const release: (() => void)[] = [];
    host.answers.stores = () => new Promise((resolve) => release.push(() => resolve([])));
    const registry = await openEmbeddedRegistry(folder);
    const app = await buildServer({ host, registry, limits: { hostRequestsMax: 3 } });
    const ask = () => app.inject({ method: 'GET', url: '/v1/stores' }).then((response) => response);
    const waiting = [ask(), ask(), ask()];
    await expect.poll(() => release.length).toBe(3);
    const refused = await ask();
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    expect(refused.json()).toMatchObject({ error: { code: 'OVERLOADED', details: { hostRequestsMax: 3 } } });
    for (const answer of release.splice(0)) answer();
    for (const { statusCode } of await Promise.all(waiting)) expect(statusCode).toBe(200);
    const again = ask();
    await expect.poll(() => release.length).toBe(1);
    for (const answer of release.splice(0)) answer();
    expect((await again).statusCode).toBe(200);
    await app.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
