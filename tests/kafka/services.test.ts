import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { openKafkaLog } from '../../log/index.ts';
import { confluentRegistry } from '../../schemas/index.ts';
import { describeWithKafka } from './real-kafka.ts';

const script = fileURLToPath(new URL('../../scripts/services.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-services-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Services {
  readonly kafka: string;
  readonly registry: string;
  readonly pids: readonly number[];
  readonly logFiles: readonly string[];
  /** As Ctrl-C does. The exit code. */
  stop(): Promise<number | null>;
}

async function startServices(...args: string[]): Promise<Services> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit');
  let output = '';
  const started = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('Ctrl-C stops both.')) resolve();
      });
    }
    child.on('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
  await started;
  const [, kafka, registry] = /--kafka (\S+) --registry (\S+)/.exec(output)!;
  return {
    kafka: kafka!,
    registry: registry!,
    pids: [...output.matchAll(/\(process ([\d, ]+)\)/g)].flatMap(([, pids]) => pids!.split(', ').map(Number)),
    logFiles: /What they print: (.*)/.exec(output)![1]!.split(' '),
    async stop() {
      child.kill('SIGINT');
      return ((await exit) as [number | null])[0];
    },
  };
}

function runs(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

describeWithKafka('npm run services', () => {
  it('starts what its flags ask for, and leaves nothing behind', { timeout: 240_000 }, async () => {
    const services = await startServices('--brokers', '3');
    expect(services.pids.map(runs)).toEqual([true, true, true, true]);
    expect(services.kafka.split(',')).toHaveLength(3);
    expect(await services.stop()).toBe(0);
    expect(services.pids.map(runs)).toEqual([false, false, false, false]);
    expect(services.logFiles.map((file) => existsSync(dirname(file)))).toEqual([false, false, false, false]);
  });

  it('finds topics and schemas again in its data folder', { timeout: 240_000 }, async () => {
    const schema = { type: 'record', name: 'Kept', fields: [{ name: 'n', type: 'int' }] };
    const first = await startServices('--data-dir', folder);
    const [, port] = first.kafka.split(':');
    {
      await using log = await openKafkaLog({ brokers: [first.kafka] });
      await log.createTopics([{ name: 'kept', partitions: 2 }]);
    }
    const { id } = await confluentRegistry({ url: first.registry }).register('kept-value', schema);
    expect(await first.stop()).toBe(0);

    const second = await startServices('--data-dir', folder, '--kafka-port', port!);
    try {
      expect(second.kafka).toBe(first.kafka);
      await using log = await openKafkaLog({ brokers: [second.kafka] });
      expect((await log.topics()).map(({ name }) => name)).toEqual(['kept']);
      expect(await confluentRegistry({ url: second.registry }).byId(id)).toMatchObject({ schema: { name: 'Kept' } });
    } finally {
      await second.stop();
    }
    await expect(startServices('--data-dir', folder, '--brokers', '3')).rejects.toThrow(
      /holds a cluster of 1 broker\(s\), 3 were asked for/,
    );
  });
});
