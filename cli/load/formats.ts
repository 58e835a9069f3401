import { MillraceError } from '../../schemas/index.ts';
import {
  type EventSource,
  type FirstLine,
  isMillraceEvents,
  isOtto,
  isRees46,
  isRetailRocket,
  isUciOnlineRetail,
  isYoochooseClicks,
  openMillraceEvents,
  openOtto,
  openRees46,
  openRetailRocket,
  openUciOnlineRetail,
  openYoochooseClicks,
} from '../../sources/index.ts';

interface EventFormat {
  readonly open: (path: string) => Promise<EventSource>;
  readonly fits: (line: FirstLine) => boolean;
}

/** The formats of event files, by the name that `--format` takes. */
export const eventFormats: { readonly [format: string]: EventFormat } = {
  uci: { open: openUciOnlineRetail, fits: isUciOnlineRetail },
  rees46: { open: openRees46, fits: isRees46 },
  retailrocket: { open: openRetailRocket, fits: isRetailRocket },
  yoochoose: { open: openYoochooseClicks, fits: isYoochooseClicks },
  otto: { open: openOtto, fits: isOtto },
  millrace: { open: openMillraceEvents, fits: isMillraceEvents },
};

/** @throws MillraceError `INVALID_ARGUMENT` that lists the known formats. */
export function checkFormat(format: string): void {
  if (Object.hasOwn(eventFormats, format)) return;
  const known = Object.keys(eventFormats).join(', ');
  throw new MillraceError('INVALID_ARGUMENT', `--format wants one of: ${known}; found '${format}'`, { format, known });
}
