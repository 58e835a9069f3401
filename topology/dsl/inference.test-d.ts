/**
 * What the compiler makes of the DSL: this file is checked by `npm run types`, it is never run. A line below
 * `@ts-expect-error` must not compile.
 */
import { int64Serde, jsonSerde, stringSerde } from '../../schemas/index.ts';
import {
  TimeWindows,
  type KStream,
  type KTable,
  type Processor,
  type Record,
  type StreamsBuilder,
  type Windowed,
} from '../index.ts';

interface View {
  readonly kind: 'view';
  readonly user: string;
}

interface Purchase {
  readonly kind: 'purchase';
  readonly user: string;
  readonly price: number;
}

type Interaction = View | Purchase;

declare function same<A, B>(
  ...differ: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ['types differ']
): void;

export function inference(builder: StreamsBuilder): void {
  const interactions = builder.stream<string, Interaction>('interactions');
  const titles = builder.table('titles', { keySerde: stringSerde, valueSerde: stringSerde });
  same<typeof titles, KTable<string, string>>();

  // Types come from serdes, or are given.
  same<ReturnType<typeof withSerdes>, KStream<string, number>>();
  function withSerdes() {
    return builder.stream('counts', { keySerde: stringSerde, valueSerde: int64Serde });
  }

  // A guard narrows; a plain predicate doesn't.
  const purchases = interactions.filter((_, value): value is Purchase => value.kind === 'purchase');
  purchases.mapValues((value) => value.price.toFixed(2));
  same<ReturnType<typeof plain>, KStream<string, Interaction>>();
  function plain() {
    return interactions.filter((key, value) => key === value.user);
  }
  // @ts-expect-error a view has no price
  interactions.mapValues((value) => value.price);

  // Keys and values change with what is done.
  const byPrice = purchases.map((_, value) => [value.price, value.user] as const);
  same<typeof byPrice, KStream<number, string>>();
  const words = byPrice.flatMapValues((user) => user.split(' ')).selectKey((price) => String(price));
  same<typeof words, KStream<string, string>>();

  // Counts are numbers; a table's changes may be deletions; windows show in the key.
  const counts = interactions.groupBy((_, value) => value.user).count({ store: 'counts' });
  same<typeof counts, KTable<string, number>>();
  const changes = counts.toStream();
  same<typeof changes, KStream<string, number | null>>();
  const daily = interactions.groupByKey().windowedBy(TimeWindows.ofSizeWithNoGrace(86_400_000)).count();
  same<typeof daily, KTable<Windowed<string>, number>>();
  // @ts-expect-error a deleted count is null
  changes.mapValues((count) => count.toFixed());

  // The aggregate's type comes from the initializer, and the store's serde must fit it.
  const spent = purchases.groupByKey().aggregate(
    () => ({ total: 0 }),
    (_, value, aggregate) => ({ total: aggregate.total + value.price }),
    { store: { name: 'spent', valueSerde: jsonSerde<{ total: number }>() } },
  );
  same<typeof spent, KTable<string, { total: number }>>();
  purchases.groupByKey().aggregate(
    () => 0,
    (_, value, total) => total + value.price,
    // @ts-expect-error the aggregate is a number
    { store: { valueSerde: stringSerde } },
  );

  // A left join may find nothing.
  const titled = words.join(titles, (left, right) => left.length + right.length);
  same<typeof titled, KStream<string, number>>();
  words.leftJoin(titles, (left, right) => left + (right ?? ''));
  // @ts-expect-error right may be null
  words.leftJoin(titles, (left, right) => left + right.length);
  // @ts-expect-error a table with other keys
  byPrice.join(titles, (left) => left);

  // A processor's input has to be the stream's, its output is the result's.
  const processed = words.process({ get: () => new Length() });
  same<typeof processed, KStream<string, number>>();

  // Merging keeps both kinds.
  const merged = purchases.merge(interactions.filter((_, value): value is View => value.kind === 'view'));
  merged.foreach((_, value) => value.user.length);
  // @ts-expect-error numbers are not text
  processed.to('lengths', { valueSerde: stringSerde });
  // @ts-expect-error a misspelt option
  words.groupByKey({ nam: 'x' });
}

class Length implements Processor<string, string, string, number> {
  #forward: ((record: Record<string, number>) => void) | undefined;

  init(context: { forward(record: Record<string, number>): void }): void {
    this.#forward = (record) => context.forward(record);
  }

  process(record: Record<string, string>): void {
    this.#forward?.({ ...record, value: record.value.length });
  }
}
