import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { associationRules, popularity } from './baselines.ts';
import { evaluate, type Quality } from './next-item.ts';
import { shopModel } from './shop-model.ts';

/**
 * `npm run quality`: how good the recommendations are, on the YooChoose 1/64 sessions (RecSys Challenge 2015), which
 * everybody's papers use. Ends with an error when the shop's model misses its targets.
 */
const targets = { hitRate: 0.69, meanReciprocalRank: 0.275 } as const;

async function main(): Promise<void> {
  const folder = process.env['MILLRACE_TEST_DATA'];
  const path = folder === undefined ? undefined : join(folder, 'yoochoose');
  if (path === undefined || !existsSync(path)) {
    throw new Error(
      `The evaluation wants the folder 'yoochoose' in the folder that MILLRACE_TEST_DATA names, found ${path ?? 'no MILLRACE_TEST_DATA'}`,
    );
  }
  const train = readSessions(join(path, 'yoochoose1_64_train_sequences.txt.gz'));
  const test = readSessions(join(path, 'yoochoose1_64_test_sequences.txt.gz'));
  const startMs = performance.now();
  const shop = await shopModel(train);
  const trainedSeconds = (performance.now() - startMs) / 1_000;
  const events = train.reduce((sum, session) => sum + session.length, 0);
  print(`train ${train.length} sessions, ${events} events; test ${test.length} sessions`);
  print(`node ${process.version}; pairs trained in ${trainedSeconds.toFixed(1)} s`);
  print('next item, iterative reveal, every test session, seen items may be named again, last item included\n');

  print('| model | n | HR@20 | MRR@20 | seconds |\n|---|---|---|---|---|');
  for (const model of [popularity(train), associationRules(train)]) print(row(evaluate(model, test)));
  const quality = evaluate(shop, test);
  print(row(quality));
  if (quality.hitRate < targets.hitRate || quality.meanReciprocalRank < targets.meanReciprocalRank) {
    throw new Error(
      `The shop's model wants HR@20 >= ${targets.hitRate} and MRR@20 >= ${targets.meanReciprocalRank}, ` +
        `found ${quality.hitRate.toFixed(4)} and ${quality.meanReciprocalRank.toFixed(4)}`,
    );
  }
}

/** One session a line, item ids by spaces. */
function readSessions(path: string): number[][] {
  const text = gunzipSync(readFileSync(path)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').map(Number));
}

function row({ name, steps, hitRate, meanReciprocalRank, seconds }: Quality): string {
  return `| ${name} | ${steps} | ${hitRate.toFixed(4)} | ${meanReciprocalRank.toFixed(4)} | ${seconds.toFixed(1)} |`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
