import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../../schemas/index.ts';
import type { SourceOffset } from '../../serving/host/index.ts';
import { print } from '../terminal.ts';

export interface ExampleQuery {
  readonly what: string;
  readonly path: string;
}

export interface Example extends ExampleQuery {
  readonly command: string;
  /** What the server says, without `asOf`, which moves on with every event. */
  readonly answer: string;
}

/** Prints where the page is, and commands to try with their answers; `kept` says what holds of these. */
export async function printExamples(url: string, queries: readonly ExampleQuery[], kept: string): Promise<void> {
  print(`\n  ${url}/      the page\n  ${url}/docs  every route\n`);
  print(`Try these. The answers are this server's, ${kept}:\n`);
  for (const { what, command, answer } of await askExamples(url, queries)) {
    print(`# ${what}\n$ ${command}\n${answer}\n`);
  }
}

/** Asks the running server, so that what is printed is what it says. */
export async function askExamples(url: string, queries: readonly ExampleQuery[]): Promise<readonly Example[]> {
  const examples: Example[] = [];
  for (const query of queries) {
    const { asOf: _, ...answer } = (await getJson(url + query.path)) as { readonly asOf?: unknown };
    examples.push({ ...query, command: `curl -s '${url}${query.path}'`, answer: JSON.stringify(answer) });
  }
  return examples;
}

/**
 * Waits until look-ups reflect these offsets: titles in answers come from the HTTP thread's own view of the stores, which
 * hears of a commit a moment after it.
 */
export async function untilServed(url: string, offsets: readonly SourceOffset[], signal: AbortSignal): Promise<void> {
  for (;;) {
    const { asOf } = (await getJson(`${url}/v1/users/nobody/recommendations?limit=1`)) as {
      readonly asOf: readonly SourceOffset[];
    };
    const served = new Map(asOf.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
    if (offsets.every(({ topic, partition, offset }) => (served.get(`${topic}/${partition}`) ?? 0) >= offset)) return;
    if (signal.aborted) return;
    await sleep(20);
  }
}

export async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (response.ok) return (await response.json()) as unknown;
  const found = `status ${response.status}: ${await response.text()}`;
  throw new MillraceError('INTERNAL', `${url} wants an answer, found ${found}`, { url, status: response.status });
}
