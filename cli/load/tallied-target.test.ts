import { expect, test } from 'vitest';
import { deadLetterRecord, type IngestTarget } from '../../sources/index.ts';
import { TalliedTarget } from './tallied-target.ts';

/** A log whose acknowledgements come when the test says. */
function logOfPromises() {
  const acknowledge: (() => void)[] = [];
  const append = (): Promise<void> => new Promise((resolve) => acknowledge.push(resolve));
  return {
    acknowledge,
    target: { partitions: 1, appendEvents: append, appendDeadLetters: append } satisfies IngestTarget,
  };
}

const event = { partition: 0, key: null, value: null, timestamp: 0, headers: [] };

function letter(rule: string) {
  return deadLetterRecord({ file: 'f', line: 1, rule, reason: 'r', raw: Buffer.from('x') }, 0);
}

test('rows count as acknowledged from the first on without a gap, whatever order the log answers in', async () => {
  const { acknowledge, target } = logOfPromises();
  const tallied = new TalliedTarget(target);
  const appends = [
    tallied.appendEvents([event, event]),
    tallied.appendDeadLetters([letter('price')]),
    tallied.appendEvents([event, event, event]),
  ];
  acknowledge[2]!();
  await appends[2];
  expect(tallied.tally).toMatchObject({ acknowledgedRows: 0, events: 3 });
  acknowledge[0]!();
  await appends[0];
  expect(tallied.tally).toMatchObject({ acknowledgedRows: 2, events: 5, rejected: 0 });
  acknowledge[1]!();
  await appends[1];
  expect(tallied.tally).toEqual({ acknowledgedRows: 6, events: 5, rejected: 1, rules: { price: 1 } });
});

test('rejects are counted by the rule in their headers', async () => {
  const { acknowledge, target } = logOfPromises();
  const tallied = new TalliedTarget(target);
  const append = tallied.appendDeadLetters([letter('price'), letter('quantity'), letter('price')]);
  acknowledge[0]!();
  await append;
  expect(tallied.tally.rules).toEqual({ price: 2, quantity: 1 });
});

test('settled waits for every append, those that fail included', async () => {
  const fails = (): Promise<void> => Promise.reject(new Error('no'));
  const { acknowledge, target } = logOfPromises();
  const tallied = new TalliedTarget({ ...target, appendDeadLetters: fails });
  const failed = tallied.appendDeadLetters([letter('price')]);
  const appended = tallied.appendEvents([event]);
  let settled = false;
  const waiting = tallied.settled().then(() => (settled = true));
  await expect(failed).rejects.toThrow('no');
  expect(settled).toBe(false);
  acknowledge[0]!();
  await Promise.all([appended, waiting]);
  // The failed append came first, so nothing counts as acknowledged without a gap.
  expect(tallied.tally).toMatchObject({ acknowledgedRows: 0, events: 1, rejected: 0 });
});
