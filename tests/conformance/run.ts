import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkScenario } from './check.ts';

/** `npm run conformance -- DIR`: every scenario of a folder, by default those shipped here. */
export const shippedScenarios = fileURLToPath(new URL('scenarios', import.meta.url));

/** Scenario files of a folder and the folders in it, sorted. */
export function scenarioFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => path.join(directory, name));
}

async function main(directory: string): Promise<number> {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    console.error(`conformance: wants a folder of scenario files, found none at ${directory}`);
    return 2;
  }
  const files = scenarioFiles(directory);
  if (files.length === 0) {
    console.error(`conformance: wants *.json files, found none in ${directory}`);
    return 2;
  }
  const failures: string[] = [];
  const missing = new Map<string, number>();
  let passed = 0;
  for (const file of files) {
    const outcome = await checkScenario(readFileSync(file, 'utf8'));
    if (outcome.kind === 'passed') passed += 1;
    else if (outcome.kind === 'notYet') missing.set(outcome.operator, (missing.get(outcome.operator) ?? 0) + 1);
    else failures.push(`FAILED ${path.relative(directory, file)}\n${outcome.reasons.map(indented).join('\n')}`);
  }
  for (const failure of failures) console.log(`${failure}\n`);
  for (const [operator, count] of [...missing].toSorted(([, a], [, b]) => b - a)) {
    console.log(`not yet: ${operator} (${count} scenario${count === 1 ? '' : 's'})`);
  }
  const notYet = [...missing.values()].reduce((sum, count) => sum + count, 0);
  console.log(`conformance: ${passed} passed, ${failures.length} failed, ${notYet} not yet (operators missing)`);
  return failures.length === 0 ? 0 : 1;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(path.resolve(process.argv[2] ?? shippedScenarios));
}
