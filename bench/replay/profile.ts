/** A V8 CPU profile, as far as it is needed here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Shares of self time by folder of ours or package, greatest first; idle time left out. Of several profiles the longest. */
export function selfTimes(profiles: readonly unknown[]): { readonly place: string; readonly share: number }[] {
  const [longest] = (profiles as CpuProfile[]).toSorted((a, b) => b.samples.length - a.samples.length);
  if (longest === undefined) return [];
  const places = new Map(longest.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const times = new Map<string, number>();
  let total = 0;
  longest.samples.forEach((id, i) => {
    const place = places.get(id)!;
    const time = longest.timeDeltas[i]!;
    if (place === '(idle)') return;
    times.set(place, (times.get(place) ?? 0) + time);
    total += time;
  });
  return [...times]
    .map(([place, time]) => ({ place, share: time / total }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, 16);
}

function placeOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native';
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (inPackage !== null) return inPackage[1]!;
  if (url.startsWith('node:')) return 'node';
  const folders = url.slice(new URL('../..', import.meta.url).href.length).split('/');
  return folders.slice(0, Math.min(2, folders.length - 1)).join('/');
}
