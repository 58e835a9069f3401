import type { AddFile } from '../log/action.ts';

/**
 * Which files are put together: those of one partition, from the smallest up, until the next would make the file too large.
 * A bin of one file is worth a rewrite only when deleted rows lie in it, or when its rows are to be ordered (`single`). Files
 * of at least three quarters of the target are left as they are, unless rows are to be ordered across them.
 */
export function packFiles(
  files: readonly AddFile[],
  targetBytes: number,
  { single = false }: { readonly single?: boolean } = {},
): AddFile[][] {
  const byPartition = new Map<string, AddFile[]>();
  for (const file of files) {
    const whole = file.size >= targetBytes * 0.75 && file.deletionVector === undefined;
    if (whole && !single) continue;
    const key = JSON.stringify(
      Object.entries(file.partitionValues).toSorted(([left], [right]) => (left < right ? -1 : 1)),
    );
    const others = byPartition.get(key) ?? [];
    others.push(file);
    byPartition.set(key, others);
  }
  const bins: AddFile[][] = [];
  for (const group of byPartition.values()) {
    if (single) {
      bins.push(group);
      continue;
    }
    let bin: AddFile[] = [];
    let bytes = 0;
    for (const file of group.toSorted((left, right) => left.size - right.size)) {
      if (bytes + file.size > targetBytes && bin.length > 0) {
        bins.push(bin);
        [bin, bytes] = [[], 0];
      }
      bin.push(file);
      bytes += file.size;
    }
    bins.push(bin);
  }
  return bins.filter((bin) => single || bin.length > 1 || bin.some((file) => file.deletionVector !== undefined));
}
