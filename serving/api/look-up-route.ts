import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import type { Api } from './context.ts';

/**
 * What look-ups have in common: an answer is text, put together once a publication and kept by the request's target. A
 * request that finds one is answered before its parameters are parsed; only targets that were valid are ever kept.
 */
export interface LookUp {
  readonly onRequest: onRequestHookHandler;
  /** @throws what `text` throws, and `OVERLOADED` when what it reads does not come from the host thread in time */
  answer(request: FastifyRequest, reply: FastifyReply, text: () => string): FastifyReply | Promise<FastifyReply>;
}

export function lookUp({ cache, view }: Api): LookUp {
  return {
    onRequest(request, reply, next) {
      const answer = cache.get(request.raw.url!);
      if (answer === undefined) next();
      else void reply.header('content-type', json).send(answer);
    },
    answer(request, reply, text) {
      const send = (answer: string) => reply.header('content-type', json).send(cache.put(request.raw.url!, answer));
      const answer = view.readThrough(text);
      return typeof answer === 'string' ? send(answer) : answer.then(send);
    },
  };
}

export const json = 'application/json; charset=utf-8';
