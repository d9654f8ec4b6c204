import type { ErrorCode } from '../protocol/error.ts';
import type { UnitState } from '../protocol/keys.ts';
import type { UnitStatus } from '../unit/status.ts';
import type { WatchedStatus } from '../unit/watch.ts';
import { formatCount } from './figures.tsx';

// What states and reasons are called on pages, for people who have not read a document.

/** What a state is called, and what it means. */
export interface StateWords {
  name: string;
  meaning: string;
  /** The class of its colour. */
  tone: 'good' | 'bad' | 'waiting';
}

export const STATE_WORDS: Readonly<Record<UnitState, StateWords>> = {
  broken: { name: 'Broken', meaning: 'Some of their images could not be made.', tone: 'bad' },
  failed: {
    name: 'Given up',
    meaning: 'The work on them failed again and again, and was given up. The log says why; send them again.',
    tone: 'bad',
  },
  pending: { name: 'Waiting', meaning: 'They were sent, and are not done yet.', tone: 'waiting' },
  ready: { name: 'Ready', meaning: 'All of their images are made.', tone: 'good' },
};

const REASONS: Readonly<Partial<Record<ErrorCode, string>>> = {
  bad_request: 'This is not a URL that can be fetched. Correct it, and send the unit again.',
  source_forbidden:
    'This service may not fetch from there: the address is private, or not among those that SOURCE_ALLOW names.',
  source_not_found: 'There is no image at this URL. Check the URL, or upload the image there.',
  source_too_large: 'The image has more bytes or pixels than this service takes.',
  source_not_image:
    'What is at this URL is not an image that can be read. Often it is a web page, such as a login form.',
  source_corrupt: 'The image is damaged, or ends too early. Upload it again.',
  source_unavailable: 'The server could not be reached, or answered with an error. It may work later.',
  source_timeout: 'The server took too long. It may work later.',
};

/** Says in plain words why an image is broken. */
export function reasonFor(code: ErrorCode): string {
  return REASONS[code] ?? 'The image could not be made.';
}

/** What a unit is called that is looked at now. */
export function wordsFor({ totals, hasEnded }: WatchedStatus): Pick<StateWords, 'name' | 'tone'> {
  const { ready, broken, pending } = totals;
  if (pending > 0) return hasEnded ? STATE_WORDS.failed : STATE_WORDS.pending;
  if (broken === 0) return STATE_WORDS.ready;
  return { name: ready > 0 ? 'Some broken' : 'Broken', tone: 'bad' };
}

/** Says how many images are in each state: `3 of 5 images ready, 1 broken, 1 waiting`. */
export function countsOf({ ready, broken, pending }: UnitStatus['totals']): string {
  const others = [broken > 0 && `${broken} broken`, pending > 0 && `${pending} waiting`].filter(Boolean);
  const all = ready + broken + pending;
  const first =
    ready === all ? `${formatCount(all, 'image')} ready` : `${ready} of ${formatCount(all, 'image')} ready`;
  return [first, ...others].join(', ');
}
