import { MillraceError } from '../../schemas/index.ts';
import type { ApiHost, ApiLimits, Api } from './context.ts';
import { tookTooLong, withinDeadline } from './deadline.ts';

/**
 * Asks the host thread a few questions at once and lets the others wait in line, so that under overload some are answered in
 * time instead of all too late: the thread works on everything it has been sent, wanted or not.
 *
 *     ask ──room?──> on their way (16) ──> answer, within the deadline
 *             └────> in line, at most half the deadline, `hostRequestsMax` with those on their way ──> else OVERLOADED
 *
 * What the host thread still works on counts, also after the deadline has passed for who asked.
 */
export function boundedAsks(host: ApiHost, { hostRequestsMax, hostDeadlineMs }: ApiLimits): Api['ask'] {
  const onTheirWayMax = Math.min(16, hostRequestsMax);
  const line = new Set<() => void>();
  let onTheirWay = 0;

  /** Comes back when it is the question's turn: it has a place on the way, which `leave` hands on. */
  const turn = async (): Promise<void> => {
    if (onTheirWay < onTheirWayMax) {
      onTheirWay += 1;
      return;
    }
    if (onTheirWay + line.size >= hostRequestsMax) {
      const waiting = onTheirWay + line.size;
      throw new MillraceError(
        'OVERLOADED',
        `At most ${hostRequestsMax} questions may wait for the database, found ${waiting}; try again later.`,
        { hostRequestsMax },
      );
    }
    const deadlineMs = hostDeadlineMs / 2;
    await new Promise<void>((resolve, reject) => {
      const step = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        line.delete(step);
        reject(tookTooLong('Coming to the database', deadlineMs));
      }, deadlineMs);
      line.add(step);
    });
  };
  const leave = (): void => {
    const [next] = line;
    if (next === undefined) onTheirWay -= 1;
    else {
      line.delete(next);
      next();
    }
  };

  return async (request, transfer) => {
    const sinceMs = performance.now();
    await turn();
    const answer = host.request(request, transfer);
    answer.then(leave, leave);
    return await withinDeadline(answer, hostDeadlineMs - (performance.now() - sinceMs), 'The answer');
  };
}
