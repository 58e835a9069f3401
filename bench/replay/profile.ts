/** A V8 CPU profile, as far as it is needed here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Shares of self time by folder of ours or package, greatest first, idle time left out; of several threads the busiest. */
export function selfTimes(profiles: readonly unknown[]): { readonly place: string; readonly share: number }[] {
  const threads = (profiles as CpuProfile[]).map(timesByPlace);
  const [busiest] = threads.toSorted((a, b) => total(b) - total(a));
  if (busiest === undefined) return [];
  return [...busiest]
    .map(([place, time]) => ({ place, share: time / total(busiest) }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, 16);
}

function timesByPlace({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const times = new Map<string, number>();
  samples.forEach((id, i) => {
    const place = places.get(id)!;
    if (place !== '(idle)') times.set(place, (times.get(place) ?? 0) + timeDeltas[i]!);
  });
  return times;
}

function total(times: ReadonlyMap<string, number>): number {
  return [...times.values()].reduce((sum, time) => sum + time, 0);
}

function placeOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native';
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (inPackage !== null) return inPackage[1]!;
  if (url.startsWith('node:')) return 'node';
  const folders = url.slice(new URL('../..', import.meta.url).href.length).split('/');
  return folders.slice(0, Math.min(2, folders.length - 1)).join('/');
}
