import { afterAll, vi } from 'vitest';

// The files of the fast tests follow each other in one process. What one of them has replaced in it is as before for the next.
afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});
