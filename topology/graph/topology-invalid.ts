import { MillraceError, type ErrorFacts } from '../../schemas/errors.ts';

/** The topology cannot be built or run as written: the message names what was wanted, what was found, and where. */
export function topologyInvalid(message: string, facts: ErrorFacts = {}): MillraceError {
  return new MillraceError('TOPOLOGY_INVALID', message, facts);
}
