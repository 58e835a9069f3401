import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { confluentRegistry, type SchemaRegistry } from '../../schemas/index.ts';
import { startServer, type ApiHost, type RunningServer } from '../../serving/index.ts';
import { Host } from '../../serving/host/index.ts';
import type { KafkaSettings } from '../../serving/host/kafka-database.ts';
import type { Publication } from '../../serving/host/messages.ts';
import { partitionOfItem } from '../../processors/index.ts';
import { LookupView } from '../../serving/view/lookup-view.ts';

export interface ShopOnKafka {
  readonly brokers: string;
  readonly registry: string;
  readonly applicationId: string;
  readonly partitions: number;
}

/** An instance of the shop as `millrace start` composes it, in this process: a host thread with a folder of its own, and a server. */
export class ShopInstance implements AsyncDisposable {
  readonly host: Host;
  readonly server: RunningServer;
  readonly registry: SchemaRegistry;
  /** Hears what the server's view hears: what look-ups of this instance would read. */
  readonly view: LookupView;
  readonly #folder: string;

  static async start({ brokers, registry: url, applicationId, partitions }: ShopOnKafka): Promise<ShopInstance> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-instance-'));
    const kafka: KafkaSettings = {
      log: { brokers: [brokers], heartbeatIntervalMs: 300, sessionTimeoutMs: 6000 },
      registry: { url },
      applicationId,
    };
    const host = await Host.open({ dataDir: folder, partitions, kafka, runs: false });
    const view = new LookupView({
      stores: host.publishedStores,
      fetch: (wanted) => host.request<'fetch'>({ kind: 'fetch', ...wanted }),
      ownerOf: (id) => partitionOfItem(id, host.partitions),
    });
    const registry = confluentRegistry({ url });
    const server = await startServer({
      host: heardTwice(host, (publication) => view.receive(publication)),
      registry,
      port: 0,
    });
    await host.request<'start'>({ kind: 'start', url: server.url });
    return new ShopInstance({ host, server, registry, view, folder });
  }

  private constructor(
    parts: Pick<ShopInstance, 'host' | 'server' | 'registry' | 'view'> & { readonly folder: string },
  ) {
    this.host = parts.host;
    this.server = parts.server;
    this.registry = parts.registry;
    this.view = parts.view;
    this.#folder = parts.folder;
  }

  async get<T>(path: string): Promise<{ readonly status: number; readonly body: T }> {
    const answer = await fetch(`${this.server.url}${path}`);
    return { status: answer.status, body: (await answer.json()) as T };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.host.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A host takes one listener: the server's. */
function heardTwice(host: Host, also: (publication: Publication) => void): ApiHost {
  return {
    partitions: host.partitions,
    publishedStores: host.publishedStores,
    request: (request, transfer) => host.request(request, transfer),
    onPublication: (listener) =>
      host.onPublication((publication) => {
        also(publication);
        listener(publication);
      }),
    onTopologyFailed: (listener) => host.onTopologyFailed(listener),
  };
}
