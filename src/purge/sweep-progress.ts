import { z } from 'zod';
import { SWEEP_PROGRESS_KEY } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';

/** How far sweeping has come. Times are in Unix milliseconds. */
export interface SweepProgress {
  /** When the last sweep that came to its end began; 0: there was none. */
  doneMs: number;
  /** A sweep that had no time left to come to its end. */
  part?: {
    startMs: number;
    /** The key of the first mark that it left. */
    from: string;
  };
}

const progressSchema = z.object({
  at: z.iso.datetime(),
  part: z.object({ at: z.iso.datetime(), from: z.string() }).optional(),
});

/** What cannot be read is as good as none: everything is swept. */
export async function readProgress(store: VariantStore): Promise<SweepProgress> {
  const object = await store.get(SWEEP_PROGRESS_KEY);
  try {
    const { at, part } = progressSchema.parse(JSON.parse(new TextDecoder().decode(object?.body)));
    const doneMs = Date.parse(at);
    return part ? { doneMs, part: { startMs: Date.parse(part.at), from: part.from } } : { doneMs };
  } catch {
    return { doneMs: 0 };
  }
}

export async function keepProgress(store: VariantStore, { doneMs, part }: SweepProgress): Promise<void> {
  const progress: z.infer<typeof progressSchema> = {
    at: new Date(doneMs).toISOString(),
    part: part && { at: new Date(part.startMs).toISOString(), from: part.from },
  };
  await store.put(SWEEP_PROGRESS_KEY, new TextEncoder().encode(JSON.stringify(progress)), {
    contentType: 'application/json',
  });
}
