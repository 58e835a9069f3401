import { SingleBar } from 'cli-progress';

/** Where progress is shown: standard error, so that what a command prints can go into a file. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

export interface Progress {
  /** `total` may become better known on the way. */
  update(value: number, total: number): void;
  /** Leaves the last state standing. */
  stop(): void;
}

/** A bar on a terminal; elsewhere a line for every tenth of the way, at least every ten seconds while it moves. */
export function startProgress(label: string, unit: string, stream: ProgressStream = process.stderr): Progress {
  return stream.isTTY === true ? bar(label, unit, stream) : lines(label, unit, stream);
}

function bar(label: string, unit: string, stream: ProgressStream): Progress {
  const single = new SingleBar({
    format: `${label}  {bar} {percentage}%  {count} ${unit}  {rate}/s`,
    stream,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    fps: 8,
    hideCursor: true,
    linewrap: null,
    // Signals have one handler, which stops the bar among other things.
    gracefulExit: false,
  });
  const rate = rateMeter();
  let total = 1;
  let stopped = false;
  single.start(total, 0, { count: '0', rate: '0' });
  return {
    update(value, newTotal) {
      if (stopped) return;
      if (newTotal !== total) single.setTotal((total = Math.max(1, newTotal)));
      single.update(Math.min(value, total), { count: whole(value), rate: whole(rate(value)) });
    },
    stop() {
      if (stopped) return;
      stopped = true;
      single.stop();
    },
  };
}

function lines(label: string, unit: string, stream: ProgressStream): Progress {
  const rate = rateMeter();
  let shownTenth = 0;
  let shownValue = 0;
  let shownAt = performance.now();
  return {
    update(value, total) {
      const perSecond = rate(value);
      const tenth = Math.floor((10 * value) / Math.max(1, total));
      const due = performance.now() - shownAt >= 10_000 && value > shownValue;
      if (tenth <= shownTenth && !due) return;
      ({ shownTenth, shownValue, shownAt } = { shownTenth: tenth, shownValue: value, shownAt: performance.now() });
      const percent = Math.min(100, Math.floor((100 * value) / Math.max(1, total)));
      stream.write(`${label}: ${percent} %, ${whole(value)} ${unit}, ${whole(perSecond)}/s\n`);
    },
    stop: () => undefined,
  };
}

/** Per second since the first value: what was there before the start doesn't count. */
function rateMeter(): (value: number) => number {
  let first: { readonly value: number; readonly at: number } | undefined;
  return (value) => {
    first ??= { value, at: performance.now() };
    const seconds = (performance.now() - first.at) / 1000;
    return seconds === 0 ? 0 : (value - first.value) / seconds;
  };
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
