import type { EmbeddedLog, Log } from '../../../log/index.ts';
import { shopTopics, shopTopology } from '../../../processors/index.ts';
import { MillraceError, type SchemaRegistry } from '../../../schemas/index.ts';
import type { Engine, GroupCommit } from '../../../state/index.ts';
import { defaultConfig, EmbeddedRuntime, type PublishedCommit, type RuntimeOptions } from '../../../topology/index.ts';
import type { HostSettings } from '../messages.ts';
import { publishedStores } from '../published-stores.ts';
import type { GenerationEntry } from './generation-book.ts';

/** What all generations of a folder share. */
export interface ShopParts {
  readonly settings: HostSettings;
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: EmbeddedLog;
  readonly registry: SchemaRegistry;
  readonly partitions: number;
}

/** What differs between the one that is active and the one that replays. */
export type GenerationHooks = Required<Pick<RuntimeOptions, 'memory' | 'paused' | 'onFailure'>> &
  Pick<RuntimeOptions, 'background'> & {
    /** Of the active one. */
    readonly onCommit?: (commit: PublishedCommit) => void;
  };

/** Makes the topics of a new log. Gives the partitions of `interactions`, whatever the settings say. */
export async function prepareShop(log: Log, settings: HostSettings): Promise<number> {
  const made = (await log.topics()).find(({ name }) => name === shopTopics.interactions);
  const partitions = made?.partitions ?? settings.partitions;
  await log.createTopics([{ name: shopTopics.products, partitions, cleanup: 'compact' }]);
  return partitions;
}

/** The shop's topology over the state of one generation, where its last commit left it. Not started. */
export async function openShopRuntime(
  { settings, ...parts }: ShopParts,
  { applicationId, parameters, state }: GenerationEntry,
  { onCommit, ...hooks }: GenerationHooks,
): Promise<EmbeddedRuntime> {
  const { registry, partitions } = parts;
  const waiting = new Int32Array(settings.waiting);
  return await EmbeddedRuntime.open({
    ...parts,
    ...hooks,
    topology: await shopTopology({ registry, partitions, parameters }),
    applicationId,
    ownOutputs: state !== 'active',
    ...shopOptions(partitions),
    config: {
      storeCacheBytes: settings.storeCacheBytes,
      maxDirtyBytes: settings.dirtyBytesMax,
      // Nobody waits for the newest record of one that replays.
      commitIntervalMs: state === 'active' ? settings.commitIntervalMs : defaultConfig.backlogCommitIntervalMs,
    },
    ...(onCommit === undefined ? {} : { publish: { stores: publishedStores, onCommit } }),
    queriesWaiting: () => Atomics.load(waiting, 0) > 0,
  });
}

/** What every runtime of the shop is opened with, whatever its log. */
export function shopOptions(
  partitions: number,
): Required<Pick<RuntimeOptions, 'topics' | 'handlers' | 'deadLetterTopic'>> {
  return {
    topics: {
      [shopTopics.interactions]: partitions,
      [shopTopics.clean]: partitions,
      [shopTopics.deadLetter]: 1,
      [shopTopics.productsHistory]: partitions,
    },
    handlers: { deserialization: () => 'dead-letter', processing: deadLetterBadRecords },
    deadLetterTopic: shopTopics.deadLetter,
  };
}

/** A record that breaks a rule of the shop is dead; anything else is a fault of ours and stops the topology. */
function deadLetterBadRecords(_: unknown, error: MillraceError): 'dead-letter' | 'fail' {
  return error.cause instanceof MillraceError && error.cause.code === 'INVALID_EVENT' ? 'dead-letter' : 'fail';
}
