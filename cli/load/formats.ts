import { MillraceError } from '../../schemas/index.ts';
import {
  type EventSource,
  openMillraceEvents,
  openOtto,
  openRees46,
  openRetailRocket,
  openUciOnlineRetail,
  openYoochooseClicks,
} from '../../sources/index.ts';

/** The formats of event files, by the name that `--format` takes. */
export const eventFormats: { readonly [format: string]: { readonly open: (path: string) => Promise<EventSource> } } = {
  uci: { open: openUciOnlineRetail },
  rees46: { open: openRees46 },
  retailrocket: { open: openRetailRocket },
  yoochoose: { open: openYoochooseClicks },
  otto: { open: openOtto },
  millrace: { open: openMillraceEvents },
};

/** @throws MillraceError `INVALID_ARGUMENT` that lists the known formats. */
export function checkFormat(format: string): void {
  if (Object.hasOwn(eventFormats, format)) return;
  const known = Object.keys(eventFormats).join(', ');
  throw new MillraceError('INVALID_ARGUMENT', `--format wants one of: ${known}; found '${format}'`, { format, known });
}
