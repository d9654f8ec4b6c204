import { type Answer, ask, isOfCdn } from './ask.ts';

/** One variant that is asked for again and again, and what was seen of it. */
export interface Visit {
  /** With its signature. */
  url: string;
  unsignedUrl: string;
  /** Ends waiting early. */
  signal: AbortSignal;
  /** Asks for it. */
  get(init?: Parameters<typeof ask>[1]): Promise<Answer>;
  /** What the first request was answered with. */
  miss?: Answer;
  /** What came from the store. */
  stored?: Answer;
  /** Whether anything so far came through a CDN. */
  hasCdn: boolean;
}

export function beginVisit(url: string, unsignedUrl: string, signal: AbortSignal): Visit {
  const visit: Visit = {
    ...{ url, unsignedUrl, signal },
    hasCdn: false,
    async get(init = {}) {
      const answer = await ask(url, init);
      visit.hasCdn ||= isOfCdn(answer);
      return answer;
    },
  };
  return visit;
}
