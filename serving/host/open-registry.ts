import {
  confluentRegistry,
  openEmbeddedRegistry,
  type ConfluentRegistryOptions,
  type SchemaRegistry,
} from '../../schemas/index.ts';

/** The registry of a shop: where its log is on Kafka, the one beside the cluster, else the one in the data folder. */
export async function openRegistry(
  dataDir: string,
  confluent: ConfluentRegistryOptions | undefined,
): Promise<SchemaRegistry> {
  return confluent === undefined ? await openEmbeddedRegistry(dataDir) : confluentRegistry(confluent);
}
