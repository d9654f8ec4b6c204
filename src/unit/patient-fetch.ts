import type { Persist } from '../source/patience.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { Places } from './places.ts';

/** How one source is fetched by work that nobody waits for. */
export interface PatientFetch {
  fetch: SourceFetcher['fetch'];
  /** Makes room for another source: this one is not in memory any more. */
  letGo(): void;
}

/**
 * Makes what fetches with patience, no more sources at once than there are places. A place is taken only from the fetch on: whoever
 * waits for a host holds up nobody else.
 */
export function createPatientFetches(
  source: Pick<SourceFetcher, 'fetch'>,
  persist: Persist,
  places: Places,
): () => PatientFetch {
  return () => {
    let letGo = () => {};
    return {
      letGo: () => letGo(),
      fetch: (src) =>
        persist(src, async () => {
          letGo = await places.take();
          try {
            return await source.fetch(src);
          } catch (error) {
            letGo();
            throw error;
          }
        }),
    };
  };
}
