// `npm run millrace -- COMMAND …`: the command line of this checkout, installed and built first like `npm start`.
import { requireNode } from '../cli/node-version.mjs';

requireNode();
void import('./run-millrace.mjs').then((module) => module.runMillrace(process.argv.slice(2)));
