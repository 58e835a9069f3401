import { shopTopics } from '../../processors/index.ts';
import type { IngestTarget } from '../../sources/index.ts';
import type { Answers, Request } from './messages.ts';
import { packRecords } from './packed-records.ts';

/** Either end of the host thread that takes requests: `Host` or `HostPort`. */
interface Appender {
  request(
    request: Extract<Request, { readonly kind: 'produce' }>,
    transfer: readonly ArrayBuffer[],
  ): Promise<Answers['produce']>;
}

/** Puts what a source gives into the log of the host thread. */
export function hostTarget(host: Appender, partitions: number, topic: string = shopTopics.interactions): IngestTarget {
  return {
    partitions,
    async appendEvents(events) {
      const records = packRecords(events);
      await host.request({ kind: 'produce', topic, records }, [records]);
    },
    async appendDeadLetters(letters) {
      const records = packRecords(letters.map((letter) => ({ ...letter, partition: 0 })));
      const eventIds = letters.map(({ id }) => id);
      await host.request({ kind: 'produce', topic: shopTopics.deadLetter, records, eventIds }, [records]);
    },
  };
}
