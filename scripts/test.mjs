// `npm test`: installs what is missing and runs the unit tests; arguments go to vitest: `npm test -- state`.
import { requireNode } from '../cli/node-version.mjs';

requireNode();
void import('./run-tests.mjs').then((module) => module.runTests(process.argv.slice(2)));
