// `npm start`: needs a Node and nothing else. Installs the dependencies when they are missing, builds when the sources
// changed, and runs `millrace start --dataset uci` with the arguments it was given: `npm start -- --port 8080`.
import { requireNode } from '../cli/node-version.mjs';

requireNode();
void import('./run-millrace.mjs').then((module) =>
  module.runMillrace(['start', '--dataset', 'uci', ...process.argv.slice(2)]),
);
