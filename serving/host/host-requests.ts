import type { Answers, Request } from './messages.ts';

/** Whatever takes requests for the host thread: a `Host`, or a `HostPort` of another thread. */
export interface HostRequests {
  request<K extends Request['kind']>(request: Extract<Request, { readonly kind: K }>): Promise<Answers[K]>;
}
