/**
 * Which generated shop a data folder is of:
 *
 *     DIR/generated-shop.json   { "catalogue": null, "catalogueBytes": 432101, "users": 10000, "seed": 1, "events": 100000, "days": 7, "endMs": 1764417600000 }
 *
 * Every event follows from these numbers, so an interrupted history can only go on with the same ones, the minute of the first start
 * included. Unlike the resume note this file decides something: it is on the disk before the first event is, and is never
 * written again. A start without flags takes it as it is; a flag that says something else is an error, because two
 * histories in one folder would be no shop at all.
 */
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MillraceError } from '../../schemas/index.ts';
import { type GeneratorParameters, minuteMs } from '../../sources/index.ts';
import { replaceFile } from '../../state/index.ts';
import { shippedCatalogue } from './amazon-dataset.ts';

export interface GeneratedShop {
  /** CSV of Amazon Products 2023, an absolute path; null is the shipped sample. */
  readonly catalogue: string | null;
  /** Another size is another catalogue, and with it another history. */
  readonly catalogueBytes: number;
  readonly users: number;
  readonly seed: number;
  /** Of the history, in the mean. */
  readonly events: number;
  readonly days: number;
  /** Where the history ends: the minute of the first start. */
  readonly endMs: number;
}

/** As they were given on the command line. */
export type ShopFlags = Partial<Pick<GeneratedShop, 'users' | 'seed' | 'events' | 'days'>> & {
  readonly catalogue?: string;
};

export const shopDefaults = { users: 10_000, seed: 1, events: 100_000, days: 7 } as const;

const fileName = 'generated-shop.json';

/**
 * The shop of the folder, or the one that a new folder gets.
 * @throws MillraceError `INVALID_ARGUMENT` for flags of another shop than the folder's; `SOURCE_UNREADABLE` without a catalogue.
 */
export async function chooseShop(dataDir: string, flags: ShopFlags, nowMs: number): Promise<GeneratedShop> {
  const found = await readShop(dataDir);
  const given = { ...flags, ...(flags.catalogue !== undefined && { catalogue: resolve(flags.catalogue) }) };
  const { catalogue, ...numbers } = { catalogue: null, ...shopDefaults, ...found, ...given };
  const path = catalogue ?? shippedCatalogue;
  const catalogueBytes = await sizeOf(path);
  if (found === undefined) {
    return { catalogue, catalogueBytes, ...numbers, endMs: Math.floor(nowMs / minuteMs) * minuteMs };
  }
  for (const key of ['catalogue', 'users', 'seed', 'events', 'days'] as const) {
    const wanted = given[key] ?? found[key];
    if (wanted !== found[key]) throw anotherShop(dataDir, `--${key} ${found[key] ?? shippedCatalogue}`, `${wanted}`);
  }
  if (catalogueBytes !== found.catalogueBytes) {
    throw anotherShop(dataDir, `a catalogue ${path} of ${found.catalogueBytes} bytes`, `${catalogueBytes}`);
  }
  return found;
}

/** Writes the file, durably; nothing when it is there. */
export async function keepShop(dataDir: string, shop: GeneratedShop): Promise<void> {
  if ((await readShop(dataDir)) !== undefined) return;
  await replaceFile(join(dataDir, fileName), `${JSON.stringify(shop)}\n`);
}

/** Of its history. The present has the same users, favourites and popularity, but a rate of its own. */
export function historyParameters({ users, seed, events, days, endMs }: GeneratedShop): Partial<GeneratorParameters> {
  return { users, seed, eventsPerDay: events / days, startMs: endMs - historyMinutes({ days }) * minuteMs };
}

export function historyMinutes({ days }: Pick<GeneratedShop, 'days'>): number {
  return days * 24 * 60;
}

async function readShop(dataDir: string): Promise<GeneratedShop | undefined> {
  const path = join(dataDir, fileName);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (isShop(value)) return value;
  const facts = { folder: dataDir };
  throw new MillraceError(
    'DATA_FOLDER_CORRUPT',
    `${path} wants to say which generated shop it is, found no shop`,
    facts,
  );
}

function isShop(value: unknown): value is GeneratedShop {
  if (typeof value !== 'object' || value === null) return false;
  const shop = value as { readonly [key: string]: unknown };
  const isNumber = (key: string) => Number.isSafeInteger(shop[key]) && (shop[key] as number) >= 0;
  const numbers = ['catalogueBytes', 'users', 'seed', 'events', 'days', 'endMs'];
  return numbers.every(isNumber) && (shop['catalogue'] === null || typeof shop['catalogue'] === 'string');
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    const facts = { file: path };
    throw new MillraceError('SOURCE_UNREADABLE', `--catalogue wants a file, found none at ${path}`, facts, { cause });
  }
}

function anotherShop(folder: string, holds: string, found: string): MillraceError {
  return new MillraceError(
    'INVALID_ARGUMENT',
    `The data folder ${folder} was begun with ${holds}, found ${found}: leave it away, or name another folder with --data-dir`,
    { folder, found },
  );
}
