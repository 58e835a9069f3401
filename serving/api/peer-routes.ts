import { decodePeer, encodePeer, peerPath, settledPath, type PeerQuestion } from '../host/peers.ts';
import type { Api, App } from './context.ts';

/**
 * What instances of one group ask each other (serving/host/cluster-reader.ts): a query about the partitions that are here. It is
 * never sent on. `prefix`: of a stream thread that shares the server.
 */
export async function peerRoutes(app: App, ask: Api['ask'], prefix = ''): Promise<void> {
  await app.register((scope, _options, registered) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, parsed) => {
      try {
        parsed(null, decodePeer(body as string));
      } catch (error) {
        parsed(error as Error);
      }
    });
    scope.post(`${prefix}${peerPath}`, { schema: { hide: true } }, async (request, reply) => {
      const answer = await ask({ kind: 'askHere', ...(request.body as PeerQuestion) });
      return await reply.type('application/json').send(encodePeer(answer));
    });
    scope.post(`${prefix}${settledPath}`, { schema: { hide: true } }, async () => await ask({ kind: 'settled' }));
    registered();
  });
}
