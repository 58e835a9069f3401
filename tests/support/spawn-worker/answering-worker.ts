import { parentPort, workerData } from 'node:worker_threads';
import { MillraceError, type ErrorCode } from '../../../schemas/errors.ts';

// Types, a type-only import and an import of our own: each fails where TypeScript is not understood.
const code: ErrorCode = 'INTERNAL';
const asked = workerData as { readonly question: string };
parentPort?.postMessage(`${asked.question}: ${new MillraceError(code, 'from the worker').code}`);
