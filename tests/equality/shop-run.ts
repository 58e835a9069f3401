import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { compareState, formatComparison, type Comparison, type Recomputation } from '../../models/recompute/index.ts';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { ingest, openUciOnlineRetail } from '../../sources/index.ts';
import { hostTarget } from '../../serving/host/host-target.ts';
import { Host } from '../../serving/host/host.ts';
import { readerWithView, viewOf } from '../../serving/view/served-state.ts';

/** Both years as the repository ships them, in the order of the log. */
export const uciFiles: readonly string[] = [1, 2].map((year) =>
  fileURLToPath(new URL(`../../data/uci-online-retail/year-${year}.csv.br`, import.meta.url)),
);

/** The whole embedded system over some files: source, log, worker thread, RocksDB; then its state beside the other one. */
export async function runShop(run: {
  readonly dataDir: string;
  readonly files: readonly string[];
  readonly partitions: number;
  readonly expected: Recomputation;
}): Promise<ShopRun> {
  const startedMs = performance.now();
  await using host = await Host.open({ dataDir: run.dataDir, partitions: run.partitions });
  const view = viewOf(host);
  const serde = await interactionSerde(await openEmbeddedRegistry(run.dataDir), shopTopics.interactions);
  const target = hostTarget(host, host.partitions);
  let rejected = 0;
  for (const file of run.files) {
    const progress = await ingest({ source: await openUciOnlineRetail(file), target, serde });
    rejected += progress.rejected;
  }
  await host.request<'caughtUp'>({ kind: 'caughtUp' });
  const processedMs = performance.now() - startedMs;
  const comparison = await compareState(run.expected, await readerWithView(host, view));
  return { comparison, rejected, processedMs };
}

export interface ShopRun {
  readonly comparison: Comparison;
  readonly rejected: number;
  readonly processedMs: number;
}

export function shown({ comparison, processedMs }: ShopRun, partitions: number): string {
  return `${partitions} partition(s), processed in ${(processedMs / 1000).toFixed(1)} s\n${formatComparison(comparison)}`;
}

/** The last lines of the first year and the first of the second: the nine days that stand in both are among them. */
export async function writeSlices(folder: string, lines: number): Promise<string[]> {
  const [year1, year2] = uciFiles.map((file) =>
    brotliDecompressSync(readFileSync(file)).toString().trimEnd().split('\n'),
  );
  const slices = [[year1![0]!, ...year1!.slice(-lines)], year2!.slice(0, lines + 1)];
  const paths = slices.map((_, at) => join(folder, `slice-${at + 1}.csv`));
  await Promise.all(slices.map((slice, at) => writeFile(paths[at]!, `${slice.join('\n')}\n`)));
  return paths;
}

/** A folder that is gone when its scope is left. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
