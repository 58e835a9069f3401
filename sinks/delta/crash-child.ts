import { deltaFaults } from './faults.ts';
import { DeltaTable } from './index.ts';

/**
 * Writes to a table until it is to die: appends `appends` rows, one a commit, each under its own number as a transaction, with
 * an OPTIMIZE after every fifth, and tells the parent of each acknowledgement. With a fault point it ends itself there, the
 * `count`th time; without one it ends by itself.
 */
const [folder = '', writer = '', from = '0', appends = '0', point = '', count = '1'] = process.argv.slice(2);

let left = Number(count);
if (point !== '') {
  deltaFaults.reached = (reached) => {
    if (reached === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}

const table = await DeltaTable.open(folder);
for (let number = Number(from); number < Number(from) + Number(appends); number++) {
  const transactions = [{ appId: writer, version: BigInt(number) }];
  await table.append([{ id: `${writer} ${number}`, number }], { transactions });
  process.send?.(number);
  if (number % 5 === 4) await table.optimize();
}
await table[Symbol.asyncDispose]();
process.disconnect?.();
