const horizonMs = 24 * 3_600_000;

/**
 * De-duplication as an aggregate, since there is no processor API: of an identity, the times of the events that were accepted. What is
 * stored are the times; the event itself goes on with the aggregate when it was one of these.
 */
export const eventsSeen = {
  none: () => ({ times: [], accepted: null }),
  add: (_identity, event, { times }) => {
    const isDuplicate = times.some((time) => Math.abs(time - event.timestamp) <= horizonMs);
    return isDuplicate ? { times, accepted: null } : { times: [...times, event.timestamp], accepted: event };
  },
  codec: {
    encode: ({ times }) => {
      const bytes = Buffer.allocUnsafe(8 * times.length);
      for (const [at, time] of times.entries()) bytes.writeDoubleLE(time, 8 * at);
      return bytes;
    },
    decode: (bytes) => {
      const times = Array.from({ length: bytes.length / 8 }, (_, at) => bytes.readDoubleLE(8 * at));
      return { times, accepted: null };
    },
  },
};
