import { type Answer, ask, isOfCdn, isStored } from './ask.ts';

/** One variant that is asked for again and again, and what was seen of it. */
export interface Visit {
  /** Ends waiting early. */
  signal: AbortSignal;
  /** Asks for it. */
  get(init?: Parameters<typeof ask>[1]): Promise<Answer>;
  /** Asks for it without its signature. */
  getUnsigned(): Promise<Answer>;
  /** What the first request was answered with. */
  miss?: Answer;
  /** What came from the store. */
  stored?: Answer;
  /** Whether anything so far came through a CDN. */
  hasCdn: boolean;
  /** Whether the service has stored something that no purge has found yet. */
  isStored: boolean;
}

/** @param url - with its signature */
export function beginVisit(url: string, unsignedUrl: string, signal: AbortSignal): Visit {
  const see: typeof ask = async (asked, init) => {
    const answer = await ask(asked, init);
    visit.hasCdn ||= isOfCdn(answer);
    visit.isStored ||= isStored(answer);
    return answer;
  };
  const visit: Visit = {
    signal,
    hasCdn: false,
    isStored: false,
    get: (init = {}) => see(url, init),
    getUnsigned: () => see(unsignedUrl, {}),
  };
  return visit;
}
