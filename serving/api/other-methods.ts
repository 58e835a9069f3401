import { MillraceError } from '../../schemas/index.ts';
import type { App } from './context.ts';

const all = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Notes the methods of every path; the function it gives answers the others with 405 once all routes are there. */
export function otherMethods(app: App): () => void {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set<string>();
    methods.set(url, known);
    for (const name of [method].flat()) known.add(name);
  });
  return () => {
    for (const [url, known] of [...methods]) {
      if (url.includes('*') || url.startsWith('/docs')) continue;
      const others = all.filter((method) => !known.has(method));
      const allowed = [...known].join(', ');
      app.route({
        method: others,
        url,
        schema: { hide: true },
        // Before the body is read: whatever it is, the method does not take it.
        onRequest: (request, reply, next) => {
          void reply.header('allow', allowed);
          next(
            new MillraceError(
              'METHOD_NOT_ALLOWED',
              `${request.routeOptions.url} takes ${allowed}, found ${request.method}.`,
              { allowed },
            ),
          );
        },
        handler: () => undefined,
      });
    }
  };
}
