import Type from 'typebox';
import { MillraceError } from '../../schemas/index.ts';
import { AsOf, answers, NoQuery } from './answers.ts';
import type { Api, App } from './context.ts';

/** What `millrace backup` asks of a running server. It makes a folder on the server's own disk, so only that machine may. */
export function backupRoutes(app: App, api: Api): void {
  app.post(
    '/v1/backups',
    {
      schema: {
        tags: ['health'],
        summary: 'Copy the data folder as of now',
        description: 'Into a folder of the server that is new or empty, while all goes on. From the same machine only.',
        querystring: NoQuery,
        body: Type.Object(
          { folder: Type.String({ minLength: 1, maxLength: 4096, description: 'An absolute path.' }) },
          { additionalProperties: false },
        ),
        response: answers(
          Type.Object({ rows: Type.Integer(), bytes: Type.Integer(), asOf: AsOf }),
          400,
          404,
          413,
          415,
          503,
        ),
      },
    },
    async (request) => {
      if (!isLoopback(request.ip)) {
        throw new MillraceError(
          'NOT_FOUND',
          `A backup wants to be asked for on the server's machine, found ${request.ip}.`,
        );
      }
      // No deadline: it takes as long as there are rows.
      return await api.host.request({ kind: 'backup', folder: request.body.folder });
    },
  );
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
