import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController, type FastifyBaseLogger } from 'fastify';
import type { AddressInfo } from 'node:net';
import { interactionSerde, partitionOfItem, productSerde, shopTopics } from '../../processors/index.ts';
import { MillraceError, type SchemaRegistry } from '../../schemas/index.ts';
import { threadPath } from '../host/stream-threads.ts';
import { Lists } from '../lists/lists.ts';
import { memoryShares, type MemoryShares } from '../memory-shares.ts';
import { LookupView } from '../view/lookup-view.ts';
import { askAllThreads } from './all-threads.ts';
import { AnswerCache } from './answer-cache.ts';
import { backupRoutes } from './backup-routes.ts';
import { boundedAsks } from './bounded-asks.ts';
import { categoryRoutes } from './category-routes.ts';
import { defaultLimits, type Api, type ApiHost, type ApiLimits, type App } from './context.ts';
import { EventRate } from './event-rate.ts';
import { eventRoutes } from './event-routes.ts';
import { generationRoutes } from './generation-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { refuseConnection, sendError } from './http-errors.ts';
import { IngestRoom } from './ingest-room.ts';
import { otherMethods } from './other-methods.ts';
import { overviewRoutes } from './overview-routes.ts';
import { pageRoutes } from './page-routes.ts';
import { peerRoutes } from './peer-routes.ts';
import { productIntakeRoutes } from './product-intake-routes.ts';
import { productRoutes } from './product-routes.ts';
import { Readiness } from './readiness.ts';
import { parseJson } from './record-body.ts';
import { recommendationRoutes } from './recommendation-routes.ts';
import { ServerMetrics } from './server-metrics.ts';
import { storeRoutes } from './store-routes.ts';
import { topologyRoutes } from './topology-routes.ts';
import { userRoutes } from './user-routes.ts';
import { validatorCompiler } from './validation.ts';

export interface ServerOptions {
  readonly host: ApiHost;
  /** Further threads of this instance, which other instances ask through this server. */
  readonly threads?: readonly ApiHost[];
  /** Of the host's data folder: events are serialised in this thread. */
  readonly registry: SchemaRegistry;
  readonly logger?: FastifyBaseLogger | undefined;
  readonly limits?: Partial<ApiLimits>;
  /** Default: of 1 GiB. */
  readonly memory?: MemoryShares;
}

/** The API over a host thread; it hears the host's publications from now on. Not listening yet: `startServer` does that. */
export async function buildServer(options: ServerOptions): Promise<App> {
  const { host, logger } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const memory = options.memory ?? memoryShares();
  const { threads = [] } = options;
  const ofThreads = threads.map((thread) => boundedAsks(thread, limits));
  const ofHost = boundedAsks(host, limits);
  const ask = askAllThreads(ofHost, ofThreads);
  const view = new LookupView({
    stores: host.publishedStores,
    bytesMax: memory.viewBytes,
    fetch: (wanted) => ask({ kind: 'fetch', ...wanted }),
    ownerOf: (id) => partitionOfItem(id, host.partitions),
  });
  const api: Api = {
    host,
    view,
    lists: new Lists(view),
    cache: new AnswerCache(view, memory.answerCacheBytes),
    memory,
    metrics: new ServerMetrics(view),
    readiness: new Readiness(),
    rate: new EventRate(),
    partitions: host.partitions,
    serde: await interactionSerde(options.registry, shopTopics.interactions),
    productSerde: await productSerde(options.registry, shopTopics.productsHistory),
    limits,
    ask,
    ingestRoom: new IngestRoom(limits.ingestBytesMax),
  };
  view.onApplied(() => {
    api.readiness.published();
    api.rate.add(view.committedAtMs, view.asOf);
  });
  for (const each of [host, ...threads]) each.onTopologyFailed((error) => api.readiness.failed(error));
  // What is looked up here comes through the first thread.
  for (const thread of threads) thread.onPublication(() => undefined);
  host.onPublication((publication) => view.receive(publication));

  const app: App = Fastify({
    ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: smallBodyBytesMax,
    // Ids of 200 characters, each up to nine when encoded.
    routerOptions: { maxParamLength: 2000 },
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    clientErrorHandler: refuseConnection,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.setErrorHandler(sendError);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(
      new MillraceError('NOT_FOUND', `There is no ${request.url.split('?')[0]}; /docs lists what there is.`),
      request,
      reply,
    ),
  );
  app.addHook('onResponse', (request, reply, done) => {
    api.metrics.request(request.routeOptions.url ?? 'unknown', reply.statusCode, reply.elapsedTime / 1000);
    done();
  });

  await app.register(swagger, { openapi });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
  const refuseOtherMethods = otherMethods(app);
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  healthRoutes(app, api);
  eventRoutes(app, api);
  productIntakeRoutes(app, api);
  productRoutes(app, api);
  categoryRoutes(app, api);
  userRoutes(app, api);
  recommendationRoutes(app, api);
  storeRoutes(app, api);
  topologyRoutes(app, api);
  overviewRoutes(app, api);
  backupRoutes(app, api);
  for (const [at, asked] of [ofHost, ...ofThreads].entries()) await peerRoutes(app, asked, threadPath(at));
  generationRoutes(app, api);
  await pageRoutes(app);
  await app.after();
  refuseOtherMethods();
  return app;
}

export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface RunningServer extends AsyncDisposable {
  readonly app: App;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** Takes no new requests, finishes those under way. The host stays open. */
  close(): Promise<void>;
}

/**
 * Builds the server and listens.
 *
 * @throws MillraceError `PORT_IN_USE`; `INVALID_ARGUMENT` for an address or port that can't be listened on.
 */
export async function startServer(options: ServerOptions & ListenOptions): Promise<RunningServer> {
  const { address = '127.0.0.1', port } = options;
  const app = await buildServer(options);
  try {
    await app.listen({ host: address, port });
  } catch (cause) {
    await app.close();
    throw listenError(cause as NodeJS.ErrnoException, address, port);
  }
  const bound = app.server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    await app.close();
  };
  return {
    app,
    url: `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listenError(cause: NodeJS.ErrnoException, address: string, port: number): MillraceError {
  if (cause.code === 'EADDRINUSE') {
    const message = `Port ${port} of ${address} is in use by another process: stop it, or choose another port with --port (0 takes a free one).`;
    return new MillraceError('PORT_IN_USE', message, { address, port }, { cause });
  }
  const message = `The server can't listen on port ${port} of ${address}: ${cause.message}.`;
  return new MillraceError('INVALID_ARGUMENT', message, { address, port }, { cause });
}

/** Of requests that carry no events. */
const smallBodyBytesMax = 256 * 1024;

const openapi = {
  openapi: '3.1.0',
  info: {
    title: 'Millrace',
    description: 'Real-time shop analytics and recommendations. Every answer says which source offsets it reflects.',
    version: '1',
  },
  tags: [
    { name: 'recommendations', description: 'What may come next' },
    { name: 'products', description: 'Products, their statistics and their neighbours' },
    { name: 'users', description: 'Users and what they may like' },
    { name: 'events', description: 'Interactions on their way in' },
    { name: 'stores', description: 'Rows of state stores' },
    { name: 'topology', description: 'What runs, and how far it is' },
    { name: 'health', description: 'For those who operate it' },
  ],
};
