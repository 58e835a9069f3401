import Type from 'typebox';
import { interactionTypes, MillraceError } from '../../schemas/index.ts';
import { answers } from './answers.ts';
import type { Api, App } from './context.ts';
import { jsonCandidates, ndjsonCandidates, type Candidate } from './event-body.ts';
import { EventIntake } from './event-intake.ts';

const text = (of: string) => Type.String({ minLength: 1, maxLength: 200, description: of });

/** Documents the body; events are checked one by one against the rules of schemas/interaction.ts, which say more. */
const Event = Type.Object(
  {
    eventId: Type.Optional(text('The same id again is the same event. Left out: made by the server.')),
    userId: Type.Optional(Type.Union([text('A user or a session is named, or both.'), Type.Null()])),
    sessionId: Type.Optional(Type.Union([text('Events of one session follow each other.'), Type.Null()])),
    productId: text('Of the product.'),
    type: Type.Union(interactionTypes.map((type) => Type.Literal(type))),
    quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: 1e9, default: 1 })),
    price: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Of one piece, in 1/10,000 of the currency: 25500 is 2.55.',
      }),
    ),
    currency: Type.Optional(Type.Union([Type.String({ pattern: '^[A-Z]{3}$' }), Type.Null()])),
    timestamp: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'When it happened, ms since epoch; at most 5 minutes ahead. Left out: now.',
      }),
    ),
    title: Type.Optional(Type.Union([Type.String({ maxLength: 4096 }), Type.Null()])),
    service: Type.Optional(Type.Boolean({ description: 'A charge such as postage: counted, never recommended.' })),
  },
  { additionalProperties: false, title: 'Event' },
);

const Taken = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer({ description: 'Events that had been acknowledged before.' }),
  rejected: Type.Array(
    Type.Object({ index: Type.Integer({ description: 'Place in the array or line, from 0.' }), reason: Type.String() }),
  ),
});

export function eventRoutes(app: App, api: Api): void {
  const intake = new EventIntake(api);
  const { bodyBytesMax: bodyLimit } = api.limits;

  // Bodies are read here, not by fastify: bytes are needed to tell torn lines and foreign encodings apart.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    const read = (candidatesOf: (body: Buffer) => Candidate[]) => (_: unknown, body: Buffer, parsed: ParserDone) => {
      try {
        parsed(null, { candidates: candidatesOf(body), bytes: body.length } satisfies EventBody);
      } catch (error) {
        parsed(error as Error);
      }
    };
    scope.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, read(jsonCandidates));
    scope.addContentTypeParser('application/x-ndjson', { parseAs: 'buffer', bodyLimit }, read(ndjsonCandidates));
    scope.post(
      '/v1/events',
      {
        bodyLimit,
        validatorCompiler: () => () => true,
        schema: {
          tags: ['events'],
          summary: 'Take events into the log',
          description:
            'One event, an array of them, or one a line as application/x-ndjson. Answers when the log has them durably. Events that break a rule are told by their place and kept in the topic interactions.dead-letter; the others are accepted. Sending again is safe for events with an eventId, and with an Idempotency-Key for all of them.',
          consumes: ['application/json', 'application/x-ndjson'],
          headers: Type.Object({
            'idempotency-key': Type.Optional(
              Type.String({
                minLength: 1,
                maxLength: 200,
                description:
                  'The same key with the same body takes the events once. With another body, events that differ are other events.',
              }),
            ),
          }),
          body: Type.Union([Event, Type.Array(Event)]),
          response: answers(Taken, 400, 413, 415, 503),
        },
      },
      async (request) => {
        const { candidates, bytes } = (request.body ?? {
          candidates: jsonCandidates(Buffer.alloc(0)),
          bytes: 0,
        }) as EventBody;
        return await intake.take(candidates, { bytes, idempotencyKey: idempotencyKey(request.headers) });
      },
    );
    done();
  });
}

interface EventBody {
  readonly candidates: readonly Candidate[];
  readonly bytes: number;
}

type ParserDone = (error: Error | null, body?: unknown) => void;

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
