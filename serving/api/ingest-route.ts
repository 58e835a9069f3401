import Type, { type TSchema } from 'typebox';
import { MillraceError } from '../../schemas/index.ts';
import { answers } from './answers.ts';
import type { Api, App } from './context.ts';
import { jsonCandidates, ndjsonCandidates, type Candidate } from './record-body.ts';
import type { RecordIntake } from './record-intake.ts';

const Taken = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer({ description: 'Records that had been acknowledged before.' }),
  rejected: Type.Array(
    Type.Object({ index: Type.Integer({ description: 'Place in the array or line, from 0.' }), reason: Type.String() }),
  ),
});

const Headers = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description:
        'The same key with the same body takes the records once. With another body, records that differ are other records.',
    }),
  ),
});

export interface IngestRoute {
  readonly url: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  /** Of one record; documents the body, records are checked one by one. */
  readonly schema: TSchema;
}

/** A route that takes one record, an array of them, or one a line, and answers when the log has them. */
export function ingestRoute(app: App, api: Api, intake: RecordIntake, route: IngestRoute): void {
  const { bodyBytesMax: bodyLimit } = api.limits;
  // Room that a request took before its body was read, so that bodies beyond the bound are not read at all.
  const held = new WeakMap<object, () => void>();
  const takeOver = (request: object): (() => void) | undefined => {
    const release = held.get(request);
    held.delete(request);
    return release;
  };
  // Bodies are read here, not by fastify: bytes are needed to tell torn lines and foreign encodings apart.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    const read = (candidatesOf: (body: Buffer) => Candidate[]) => async (_: unknown, body: Buffer) => {
      await turn();
      return { candidates: candidatesOf(body), bytes: body.length } satisfies RecordBody;
    };
    scope.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, read(jsonCandidates));
    scope.addContentTypeParser('application/x-ndjson', { parseAs: 'buffer', bodyLimit }, read(ndjsonCandidates));
    scope.post(
      route.url,
      {
        bodyLimit,
        onRequest: async (request, reply) => {
          const { 'content-length': length } = request.headers;
          if (length === undefined) return;
          held.set(request.raw, api.ingestRoom.take(Number(length)));
          // What has not come to the intake by then never will.
          reply.raw.once('close', () => takeOver(request.raw)?.());
        },
        validatorCompiler: () => () => true,
        schema: {
          tags: [route.tag],
          summary: route.summary,
          description: route.description,
          consumes: ['application/json', 'application/x-ndjson'],
          headers: Headers,
          body: Type.Union([route.schema, Type.Array(route.schema)]),
          response: answers(Taken, 400, 413, 415, 503),
        },
      },
      async (request) => {
        const { candidates, bytes } = (request.body ?? {
          candidates: jsonCandidates(Buffer.alloc(0)),
          bytes: 0,
        }) as RecordBody;
        const key = idempotencyKey(request.headers);
        const release = takeOver(request.raw) ?? api.ingestRoom.take(bytes);
        return await intake.take(candidates, { release, idempotencyKey: key });
      },
    );
    done();
  });
}

interface RecordBody {
  readonly candidates: readonly Candidate[];
  readonly bytes: number;
}

let lastTurn: Promise<void> = Promise.resolve();

/** One body a turn of the event loop: answers that are ready leave in between, however many bodies have come at once. */
function turn(): Promise<void> {
  lastTurn = lastTurn.then(() => new Promise((resolve) => setImmediate(resolve)));
  return lastTurn;
}

function idempotencyKey(headers: NodeJS.Dict<string | string[]>): string | undefined {
  const key = headers['idempotency-key'];
  const found = Array.isArray(key) ? key.join(',') : key;
  if (found === undefined) return undefined;
  if (found.length >= 1 && found.length <= 200) return found;
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `Header 'Idempotency-Key' wants 1..200 characters, found ${found.length}.`,
    {
      field: 'Idempotency-Key',
    },
  );
}
