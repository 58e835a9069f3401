import Type from 'typebox';
import { interactionTypes } from '../../schemas/index.ts';
import type { Api, App } from './context.ts';
import { eventIntake } from './event-intake.ts';
import { ingestRoute } from './ingest-route.ts';
import { RecordIntake } from './record-intake.ts';

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

export function eventRoutes(app: App, api: Api): void {
  const intake = new RecordIntake(api, eventIntake(api.serde, api.partitions));
  ingestRoute(app, api, intake, {
    url: '/v1/events',
    tag: 'events',
    summary: 'Take events into the log',
    description:
      'One event, an array of them, or one a line as application/x-ndjson. Answers when the log has them durably. Events that break a rule are told by their place and kept in the topic interactions.dead-letter; the others are accepted. Sending again is safe for events with an eventId, and with an Idempotency-Key for all of them.',
    schema: Event,
  });
}
