import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Interaction, Product, Serde } from '../../schemas/index.ts';
import type { Answers, Publication, Request } from '../host/messages.ts';
import type { MillraceError } from '../../schemas/index.ts';
import type { Lists } from '../lists/lists.ts';
import type { MemoryShares } from '../memory-shares.ts';
import type { LookupView } from '../view/lookup-view.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { EventRate } from './event-rate.ts';
import type { IngestRoom } from './ingest-room.ts';
import type { Readiness } from './readiness.ts';
import type { ServerMetrics } from './server-metrics.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the API asks of the thread that owns the database; `Host` is it. */
export interface ApiHost {
  readonly partitions: number;
  readonly publishedStores: readonly string[];
  request<K extends Request['kind']>(
    request: Extract<Request, { readonly kind: K }>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<Answers[K]>;
  onPublication(listener: (publication: Publication) => void): void;
  onTopologyFailed(listener: (error: MillraceError) => void): void;
}

/** What route groups work with. */
export interface Api {
  readonly host: ApiHost;
  readonly view: LookupView;
  readonly lists: Lists;
  readonly cache: AnswerCache;
  readonly metrics: ServerMetrics;
  readonly readiness: Readiness;
  readonly rate: EventRate;
  readonly partitions: number;
  /** Of the topic `interactions`. */
  readonly serde: Serde<Interaction>;
  /** Of the topic `products.history`. */
  readonly productSerde: Serde<Product>;
  readonly limits: ApiLimits;
  readonly memory: MemoryShares;
  readonly ingestRoom: IngestRoom;
  /** Asks the host thread; `OVERLOADED` when it answers too late. */
  ask<K extends Request['kind']>(
    request: Extract<Request, { readonly kind: K }>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<Answers[K]>;
}

export interface ApiLimits {
  /** Of one request. */
  readonly bodyBytesMax: number;
  /** Of all ingest requests that wait for the log; beyond it they are turned away. */
  readonly ingestBytesMax: number;
  readonly hostDeadlineMs: number;
  /** Questions that wait for the host thread; beyond it they are turned away. */
  readonly hostRequestsMax: number;
}

export const defaultLimits: ApiLimits = {
  bodyBytesMax: 8 * 1024 * 1024,
  ingestBytesMax: 8 * 1024 * 1024,
  hostDeadlineMs: 5000,
  hostRequestsMax: 512,
};
