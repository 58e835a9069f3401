import type { Answers, StoreFacts } from '../host/messages.ts';
import type { Api } from './context.ts';

type Ask = Api['ask'];

/** Questions about the instance go to all its stream threads; of the rows of stores any thread answers for all. */
export function askAllThreads(first: Ask, others: readonly Ask[]): Ask {
  if (others.length === 0) return first;
  const all = [first, ...others];
  const ask = async (...[request, transfer]: Parameters<Ask>): Promise<unknown> => {
    switch (request.kind) {
      case 'lag':
        return (await Promise.all(all.map((each) => each<'lag'>({ kind: 'lag' })))).flat();
      case 'metrics':
        return summed(await Promise.all(all.map((each) => each<'metrics'>({ kind: 'metrics' }))));
      case 'stores':
        return storesOfAll(await Promise.all(all.map((each) => each<'stores'>({ kind: 'stores' }))));
      default:
        return await first(request, transfer);
    }
  };
  return ask as Ask;
}

function summed(counters: readonly Answers['metrics'][]): Answers['metrics'] {
  const sums: Record<string, number> = {};
  for (const [counter, value] of counters.flatMap((of) => Object.entries(of))) {
    sums[counter] = (sums[counter] ?? 0) + value;
  }
  return sums;
}

function storesOfAll([first, ...others]: readonly Answers['stores'][]): StoreFacts[] {
  return (first ?? []).map((store, at) => {
    const all = [store, ...others.map((stores) => stores[at]!)];
    const sum = (of: 'cachedBytes' | 'dirtyBytes') => all.reduce((total, each) => total + each[of], 0);
    return {
      ...store,
      cachedBytes: sum('cachedBytes'),
      dirtyBytes: sum('dirtyBytes'),
      restoring: all.flatMap(({ restoring }) => restoring),
    };
  });
}
