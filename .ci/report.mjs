// Adds up what .ci/run noted: `node report.mjs FOLDER`. A step with a vitest report counts its tests, any other step counts
// as one. Prints the failures and, above the last line, every skipped test with its reason.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const folder = process.argv[2];
const passed = [];
const failed = [];
const skipped = [];

for (const line of readFileSync(join(folder, 'steps.tsv'), 'utf8').trim().split('\n')) {
  const [step, code, seconds] = line.split('\t');
  const report = join(folder, `${step}.json`);
  const before = { passed: passed.length, failed: failed.length, skipped: skipped.length };
  if (existsSync(report)) addTests(step, JSON.parse(readFileSync(report, 'utf8')));
  const silent = failed.length === before.failed;
  // An error outside any test, or a run that ended before its report.
  if (code !== '0' && silent) failed.push(`${step}: ended with exit code ${code}, see .ci/out/${step}.log`);
  else if (!existsSync(report)) passed.push(step);
  const counts = [passed.length - before.passed, failed.length - before.failed, skipped.length - before.skipped];
  console.log(`${step}: ${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped, ${seconds} s`);
}

function addTests(step, { testResults }) {
  for (const file of testResults) {
    const where = `${step}: ${relative(process.cwd(), file.name)}`;
    for (const { status, fullName, failureMessages } of file.assertionResults) {
      const name = `${where} > ${fullName}`;
      if (status === 'passed') passed.push(name);
      else if (status === 'failed') failed.push(`${name}\n    ${firstLines(failureMessages[0])}`);
      else skipped.push(/\[skipped: .*\]$/.test(fullName) ? name : `${name} [no reason given]`);
    }
    // A file that could not be loaded, or a hook that failed, has no failed test of its own.
    const noted = file.assertionResults.some(({ status }) => status === 'failed');
    if (file.status === 'failed' && !noted) failed.push(`${where}\n    ${firstLines(file.message)}`);
  }
}

function firstLines(text = '') {
  return text.trim().split('\n').slice(0, 6).join('\n    ');
}

if (failed.length > 0) console.log(`\nFailed:\n${failed.map((name) => `  ${name}`).join('\n')}`);
if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((name) => `  ${name}`).join('\n')}`);
console.log(`\n${passed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
