import type { ErrorCode } from '../protocol/error.ts';

/** What went wrong with an image, for people who do not know the codes. */
export interface Advice {
  /** What happened. */
  title: string;
  /** What to do about it. */
  todo: string;
}

const ADVICE: Partial<Record<ErrorCode, Advice>> = {
  bad_request: { title: 'The form has a mistake', todo: 'Correct it, and try again.' },
  source_forbidden: {
    title: 'This service may not fetch that image',
    todo: 'SOURCE_ALLOW says which addresses it may fetch, and SOURCE_ALLOW_PRIVATE which of them may be inside your network. Add the address there, or choose another image.',
  },
  source_not_found: {
    title: 'There is no image at this address',
    todo: 'Open the URL in another tab. If you see the image there, its server may show it only to those who are logged in: SOURCE_HEADERS can send what it asks for.',
  },
  source_too_large: {
    title: 'The image is too large',
    todo: 'Send a smaller one, or raise the limit: SOURCE_MAX_BYTES for bytes, MAX_PIXELS for pixels.',
  },
  source_not_image: {
    title: 'What is at this address is no image',
    todo: 'Often it is a page that shows the image: open it, right-click the image, and copy the address of the image itself. SVG is not compressed: serve it as it is.',
  },
  source_corrupt: {
    title: 'The image is damaged',
    todo: 'Open it in another program. If it is whole there, its upload or download was cut off: upload it again.',
  },
  source_unavailable: {
    title: 'The server of the image does not answer as it should',
    todo: 'Look for a misspelt host name. Otherwise try again in a minute: the server may be down.',
  },
  source_timeout: {
    title: 'The server of the image is too slow',
    todo: 'Try again later. SOURCE_TIMEOUT_MS says how long this service waits.',
  },
  overloaded: { title: 'The service is busy', todo: 'Try again in a few seconds.' },
};

const UNKNOWN: Advice = {
  title: 'The image could not be compressed',
  todo: 'The log of the service has the cause.',
};

/** Returns what to tell people about an error. */
export function adviceFor(code: ErrorCode): Advice {
  return ADVICE[code] ?? UNKNOWN;
}
