import { askWorker } from './ask-worker.ts';

process.stdout.write(`${String(await askWorker('main'))}\n`);
