import { MillraceError } from '../../schemas/index.ts';
import { openAmazonProducts } from '../../sources/index.ts';
import type { Settings } from '../settings.ts';
import { shippedCatalogue } from './amazon-dataset.ts';
import type { DatasetOptions } from './dataset-loads.ts';
import { chooseShop, type ShopFlags } from './generated-shop.ts';
import { requireDataset } from './resume-note.ts';
import { runAmazon } from './run-amazon.ts';
import { runUci } from './run-uci.ts';

export interface DatasetChoice {
  readonly dataset: 'uci' | 'amazon' | 'none';
  /** False: nothing after the load. */
  readonly live: boolean;
  /** What was said of the generated shop. */
  readonly shop: ShopFlags;
}

/** A live minute is planned as a whole: this many events of it fit into memory, and a start need not wait for them. */
const amazonPaceMax = 2000;

/**
 * What is to be run on the open folder; undefined when no dataset was asked for. Whatever is wrong with flags, files or the
 * folder is found here, before the folder is opened or made.
 *
 * @throws MillraceError `INVALID_ARGUMENT`, `SOURCE_UNREADABLE`
 */
export async function planDataset(
  { dataset, live, shop }: DatasetChoice,
  { dataDir, pace }: Pick<Settings, 'dataDir' | 'pace'>,
): Promise<((options: DatasetOptions) => Promise<void>) | undefined> {
  const [foreign] = Object.keys(shop);
  if (dataset !== 'amazon' && foreign !== undefined) {
    throw wrong(`--${foreign} is for --dataset amazon, found --dataset ${dataset}`);
  }
  if (dataset === 'none') return undefined;
  await requireDataset(dataDir, dataset);
  if (dataset === 'uci') return runUci;
  if (live && (pace === 0 || pace > amazonPaceMax)) {
    throw wrong(
      `--pace wants 1 to ${amazonPaceMax} events a second with --dataset amazon, which streams in real time, found ${pace}; ` +
        '--no-live ends with the history',
    );
  }
  const chosen = await chooseShop(dataDir, shop, Date.now());
  await openAmazonProducts(chosen.catalogue ?? shippedCatalogue);
  return async (options) => await runAmazon(options, chosen);
}

function wrong(message: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', message);
}
