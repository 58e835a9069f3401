import { expect, test } from 'vitest';
import { temporaryFolder } from '../equality/shop-run.ts';
import { namedPoints } from '../kill/kill-plan.ts';
import { histogram, liveThrough, writePieces, type PlannedKill } from '../kill/lives.ts';
import { namesOf, piecesAround } from '../kill/pieces.ts';
import { judge } from '../kill/verdict.ts';
import { atFullSize } from '../support/at-full-size.ts';

/**
 * SIGKILL (design of the commit, docs/architecture/batch-execution.md): the system dies a dozen times in one run, as a proof
 * twice as often, and nothing shows it. docs/measurements/kill.md has the output of a run.
 */
const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** How often each named point is met. */
const rounds = atFullSize ? 2 : 1;
const killsPlanned = rounds * 2 * namedPoints.length;

test(`${killsPlanned} kills leave every event counted once, every acknowledged one present, and the state of a recomputation`, async () => {
  console.log(`MILLRACE_SEED=${seed}`);
  await using folder = await temporaryFolder();
  const files = writePieces(folder.path, { lines: atFullSize ? 1_500 : 800, count: rounds * 40 });
  const pieces = piecesAround(files);
  const run = {
    folder: folder.path,
    partitions: 4,
    pieces,
    piecesPerLife: 4,
    httpEventsMin: rounds * (atFullSize ? 17_500 : 10_000),
  };
  const startedMs = performance.now();
  const { kills, producers, failure } = await liveThrough(plannedKills(), run);
  const livedMs = performance.now() - startedMs;
  expect(failure).toBeUndefined();

  const names = await namesOf(pieces);
  const overHttp = producers.acknowledged;
  const acknowledged = {
    events: new Set([...overHttp.events, ...names.events]),
    versions: new Set([...overHttp.versions, ...names.versions]),
  };
  const { problems, counts, versions, comparison } = await judge(`${folder.path}/data`, acknowledged);
  console.log(
    [
      histogram(kills),
      '',
      `${kills.length} kills and a last life in ${(livedMs / 1000).toFixed(0)} s`,
      `${counts.read} events in the log: ${counts.duplicates} repeats, ${counts.clean} in the outputs`,
      `${acknowledged.events.size} acknowledged, ${overHttp.events.size} of them over HTTP, where ${producers.retried} requests were sent again and ${producers.duplicates} events were known already`,
      `${acknowledged.versions.size} versions acknowledged, ${overHttp.versions.size} of them over HTTP; in the log ${JSON.stringify(versions)}`,
      '',
      comparison,
    ].join('\n'),
  );
  expect(problems).toEqual([]);
  expect(counts.clean).toBe(counts.accepted);
  expect(counts.clean).toBeGreaterThanOrEqual(rounds * (atFullSize ? 75_000 : 35_000));
  expect(Number(versions.same) + Number(versions.late)).toBeGreaterThan(0);
  expect(kills.length).toBe(killsPlanned);
  for (const { commits, batchesOpen, requestsOpen, point } of kills) {
    expect(commits).toBeGreaterThanOrEqual(1);
    expect(point === 'after-commit' ? requestsOpen : batchesOpen).toBeGreaterThanOrEqual(1);
  }
  for (const point of namedPoints) expect(kills.filter((kill) => kill.point === point)).toHaveLength(rounds);
});

test('with the commit torn in two, the same check finds what a kill in between has lost', async () => {
  await using folder = await temporaryFolder();
  const files = writePieces(folder.path, { lines: 3_000, count: 4 });
  const pieces = files.map((path) => ({ name: path, kind: 'uci' as const, path }));
  const run = { folder: folder.path, partitions: 4, pieces, piecesPerLife: 2, httpEventsMin: 1_000 };
  const torn: PlannedKill = { point: 'inside-split-commit', afterCommits: 1, passes: 0, delayMs: 0, splitCommit: true };
  const { producers, failure } = await liveThrough([torn, torn], run);
  const { problems } = await judge(`${folder.path}/data`, producers.acknowledged);
  console.log([`The topology stopped: ${failure}`, ...problems].join('\n'));
  expect(problems.join('\n')).toMatch(/The state differs from the recomputation/);
  expect(problems.join('\n')).toMatch(/interactions\.clean wants \d+ events, found/);
});

/** Each named point once or twice, as many at random, in an order that the seed decides. */
function plannedKills(): PlannedKill[] {
  const random = randomNumbers(seed);
  const points = Array<typeof namedPoints>(rounds)
    .fill(namedPoints)
    .flat()
    .flatMap((point) => [point, 'random'] as const);
  for (let at = points.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [points[at], points[other]] = [points[other]!, points[at]!];
  }
  return points.map((point) => ({
    point,
    afterCommits: 1 + Math.floor(random() * 3),
    passes: Math.floor(random() * 3),
    delayMs: point === 'random' ? random() * 800 : random() * 4,
    splitCommit: false,
  }));
}

/** mulberry32 */
function randomNumbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
