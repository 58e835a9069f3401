import type { Quality } from './next-item.ts';
import { evaluateYoochoose, targets } from './yoochoose.ts';

/**
 * `npm run quality`: how good the recommendations are, as the tables of docs/measurements/quality.md. Ends with an error
 * when the shop's model misses its targets.
 */
async function main(): Promise<void> {
  const report = await evaluateYoochoose(process.env['MILLRACE_TEST_DATA']);
  const { trainSessions, trainEvents, testSessions, trainedSeconds, popularity, associationRules, shop } = report;
  print(`train ${trainSessions} sessions, ${trainEvents} events; test ${testSessions} sessions`);
  print(`node ${process.version}; pairs trained in ${trainedSeconds.toFixed(1)} s`);
  print('next item, iterative reveal, every test session, seen items may be named again, last item included\n');

  print('| model | n | HR@20 | MRR@20 | seconds |\n|---|---|---|---|---|');
  for (const quality of [popularity, associationRules, shop]) print(row(quality));
  if (shop.hitRate < targets.hitRate || shop.meanReciprocalRank < targets.meanReciprocalRank) {
    throw new Error(
      `The shop's model wants HR@20 >= ${targets.hitRate} and MRR@20 >= ${targets.meanReciprocalRank}, ` +
        `found ${shop.hitRate.toFixed(4)} and ${shop.meanReciprocalRank.toFixed(4)}`,
    );
  }
}

function row({ name, steps, hitRate, meanReciprocalRank, seconds }: Quality): string {
  return `| ${name} | ${steps} | ${hitRate.toFixed(4)} | ${meanReciprocalRank.toFixed(4)} | ${seconds.toFixed(1)} |`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
