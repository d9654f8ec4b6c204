import type { PurgedGroup } from '../../src/unit/purge-group.ts';
import { printMessage, standardOutput } from '../cli/output.ts';
import { counted, formatBytes } from '../cli/text.ts';

/** Prints what is purged of a group. */
export interface GroupReporter {
  /** Called after each batch; prints what was purged so far, every few seconds. */
  progress(purged: Omit<PurgedGroup, 'invalidations'>): void;
  /** What was purged so far, as text. */
  soFar(): string;
  end(purged: PurgedGroup): Promise<void>;
}

const PROGRESS_EVERY_MS = 5000;

export function createGroupReporter({ dryRun, json }: { dryRun: boolean; json: boolean }): GroupReporter {
  let printedAtMs = performance.now();
  let last: Omit<PurgedGroup, 'invalidations'> = { group: '', units: 0, objects: 0, bytes: 0 };
  const format = ({ units, objects, bytes }: Omit<PurgedGroup, 'invalidations'>) =>
    `${counted(units, 'unit')} ${dryRun ? 'would be purged' : 'purged'}: ${counted(objects, 'object')}, ${formatBytes(bytes)}`;

  return {
    soFar: () => format(last),
    progress(purged) {
      last = { ...purged };
      if (performance.now() - printedAtMs < PROGRESS_EVERY_MS) return;
      printedAtMs = performance.now();
      printMessage(format(purged));
    },
    async end(purged) {
      const output = standardOutput();
      const tags = purged.invalidations.reduce((sum, one) => sum + one.tags, 0);
      if (json) output.write(JSON.stringify(dryRun ? { ...purged, dryRun } : purged));
      else output.write(format(purged));
      if (!json && tags > 0) output.write(`Invalidating ${counted(tags, 'cache tag')} at the CDN`);
      await output.close();
    },
  };
}
