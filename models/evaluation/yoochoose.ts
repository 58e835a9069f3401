import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { associationRules, popularity } from './baselines.ts';
import { evaluate, type Quality } from './next-item.ts';
import { shopModel } from './shop-model.ts';

/** What the shop's model has to reach: HR@20 and MRR@20. */
export const targets = { hitRate: 0.69, meanReciprocalRank: 0.275 } as const;

export interface YoochooseReport {
  readonly trainSessions: number;
  readonly trainEvents: number;
  readonly testSessions: number;
  readonly trainedSeconds: number;
  readonly popularity: Quality;
  readonly associationRules: Quality;
  readonly shop: Quality;
}

/**
 * The shop's model and two baselines on the YooChoose 1/64 sessions (RecSys Challenge 2015), which everybody's papers use.
 * `folder` is the one that MILLRACE_TEST_DATA names; the sessions are in its folder `yoochoose`.
 */
export async function evaluateYoochoose(folder: string | undefined): Promise<YoochooseReport> {
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
  return {
    trainSessions: train.length,
    trainEvents: train.reduce((sum, session) => sum + session.length, 0),
    testSessions: test.length,
    trainedSeconds,
    popularity: evaluate(popularity(train), test),
    associationRules: evaluate(associationRules(train), test),
    shop: evaluate(shop, test),
  };
}

/** One session a line, item ids by spaces. */
function readSessions(path: string): number[][] {
  const text = gunzipSync(readFileSync(path)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').map(Number));
}
