/**
 * Who of a group gets which partitions.
 *
 * The unit is a partition number with all topics that a member subscribes: streams that are joined must meet in the
 * same task, so partition 3 of every topic goes to the same member (co-partitioning). Members that subscribe other
 * topics form their own circle. Within a circle nobody has more than one unit above anybody else, and who owned a unit
 * keeps it as long as that allows (stickiness: its state is already there). Pure, and the same answer whatever the
 * order of the members.
 */
export function assignPartitions(
  members: readonly Subscriber[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, Assigned[]> {
  const assignment = new Map<string, Assigned[]>(members.map((member) => [member.memberId, []]));
  for (const { topics, circle } of circlesOf(members)) {
    const units = Math.max(0, ...topics.map((topic) => partitionCounts.get(topic) ?? 0));
    owners(units, topics, circle).forEach((memberId, partition) => {
      for (const topic of topics) {
        if (partition < (partitionCounts.get(topic) ?? 0)) assignment.get(memberId)?.push({ topic, partition });
      }
    });
  }
  return assignment;
}

export interface Subscriber {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly owned: readonly Assigned[];
}

export interface Assigned {
  readonly topic: string;
  readonly partition: number;
}

/** Topics that have the same subscribers, with these. */
function circlesOf(members: readonly Subscriber[]): { topics: string[]; circle: Subscriber[] }[] {
  const sorted = members.slice().sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const circles = new Map<string, { topics: string[]; circle: Subscriber[] }>();
  for (const topic of [...new Set(sorted.flatMap((member) => member.topics))].sort()) {
    const circle = sorted.filter((member) => member.topics.includes(topic));
    const name = JSON.stringify(circle.map((member) => member.memberId));
    const known = circles.get(name);
    if (known === undefined) circles.set(name, { topics: [topic], circle });
    else known.topics.push(topic);
  }
  return [...circles.values()];
}

/** The member for every unit: previous owners first, up to their share, then whoever has least. */
function owners(units: number, topics: readonly string[], circle: readonly Subscriber[]): string[] {
  const share = Math.floor(units / circle.length);
  let larger = units % circle.length;
  const loads = new Map(circle.map((member) => [member.memberId, 0]));
  const result = new Array<string | undefined>(units).fill(undefined);
  for (const { memberId, owned } of circle) {
    const previous = new Set(owned.filter(({ topic }) => topics.includes(topic)).map(({ partition }) => partition));
    for (const unit of [...previous].sort((a, b) => a - b)) {
      const load = loads.get(memberId) as number;
      if (unit >= units || result[unit] !== undefined || load > share || (load === share && larger === 0)) continue;
      if (load === share) larger--;
      result[unit] = memberId;
      loads.set(memberId, load + 1);
    }
  }
  return result.map((owner) => {
    if (owner !== undefined) return owner;
    const [least] = [...loads].reduce((a, b) => (b[1] < a[1] ? b : a));
    loads.set(least, (loads.get(least) as number) + 1);
    return least;
  });
}
