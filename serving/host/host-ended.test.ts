import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Host } from './host.ts';

test('a host thread that dies is heard of, and fails requests before and after instead of letting them wait', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-host-ended-'));
  try {
    const host = await Host.open({ dataDir });
    const ended = new Promise<Error>((resolve) => host.onEnded(resolve));
    const port = await host.connect();
    // No request has this shape: the thread throws where nothing catches it.
    port.postMessage(null);
    const error = await ended;
    expect(error.message).toMatch(/destructure/);
    await expect(host.request<'lag'>({ kind: 'lag' })).rejects.toBe(error);
    await host.close();
    port.close();
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
