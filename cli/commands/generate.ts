import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { MillraceError } from '../../schemas/index.ts';
import { CatalogueIndex, InteractionStream, openAmazonProducts } from '../../sources/index.ts';
import { shippedCatalogue } from '../dataset/amazon-dataset.ts';
import { exitCodes } from '../exit-codes.ts';
import { startProgress, whole } from '../progress.ts';
import { warn } from '../terminal.ts';

export interface GenerateOptions {
  readonly users: number;
  readonly events: number;
  readonly seed: number;
  readonly days: number;
  /** A CSV of Amazon Products 2023 with its categories beside it; default: the shipped sample. */
  readonly catalogue: string | undefined;
  /** Default: standard output. */
  readonly out: string | undefined;
}

const linesAtOnce = 1000;

/** Writes generated interactions as NDJSON: exactly `events` lines, `events / days` a day in the mean. */
export async function generate({ users, events, seed, days, catalogue, out }: GenerateOptions): Promise<number> {
  const source = await openAmazonProducts(catalogue ?? shippedCatalogue);
  const { index, rejected } = await CatalogueIndex.read(source);
  if (rejected > 0) warn(`${whole(rejected)} rows of ${source.name} are no products and were passed over.`);
  const stream = new InteractionStream(index, { users, seed, eventsPerDay: Math.max(events, 1) / days });
  const output = out === undefined ? process.stdout : createWriteStream(out);
  const bar = out === undefined ? undefined : startProgress('Generating', 'events');
  try {
    await writeLines(stream, { events, output, onLines: (lines) => bar?.update(lines, events) });
    if (out !== undefined) {
      output.end();
      await finished(output);
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // Whoever read standard output has had enough, as `head` does.
    if (code === 'EPIPE' && out === undefined) return exitCodes.ok;
    if (out === undefined || cause instanceof MillraceError || code === undefined) throw cause;
    const facts = { path: out };
    throw new MillraceError('INVALID_ARGUMENT', `--out wants a file to write, found ${message}`, facts, { cause });
  } finally {
    bar?.stop();
  }
  warn(`${whole(events)} events over ${whole(index.ids.length)} products, seed ${seed}.`);
  return exitCodes.ok;
}

async function writeLines(
  stream: InteractionStream,
  {
    events,
    output,
    onLines,
  }: { readonly events: number; readonly output: Writable; readonly onLines: (lines: number) => void },
): Promise<void> {
  const broken: { error?: Error } = {};
  const noteError = (error: Error) => void (broken.error ??= error);
  output.on('error', noteError);
  let lines: string[] = [];
  let written = 0;
  for (const event of stream.events(events)) {
    lines.push(JSON.stringify(event), '\n');
    if (++written % linesAtOnce !== 0 && written < events) continue;
    const goesOn = output.write(lines.join(''));
    lines = [];
    onLines(written);
    if (!goesOn && broken.error === undefined) await once(output, 'drain');
    if (broken.error !== undefined) throw broken.error;
  }
}
