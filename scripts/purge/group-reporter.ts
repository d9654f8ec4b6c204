import { NOT_TOLD } from '../../src/cdn/cdn.ts';
import type { PurgedGroup } from '../../src/unit/purge-group.ts';
import { printMessage, standardOutput } from '../cli/output.ts';
import { counted, formatBytes } from '../cli/text.ts';
import { formatTags } from './format-tags.ts';

type Purged = Omit<PurgedGroup, 'invalidations' | 'cacheTags'>;

/** Prints what is purged of a group. */
export interface GroupReporter {
  /** Called after each batch; prints what was purged so far, every few seconds. */
  progress(purged: Purged): void;
  /** What was purged so far, as text. */
  soFar(): string;
  end(purged: PurgedGroup): Promise<void>;
}

const PROGRESS_EVERY_MS = 5000;

export function createGroupReporter({ dryRun, json }: { dryRun: boolean; json: boolean }): GroupReporter {
  let printedAtMs = performance.now();
  let last: Purged = { group: '', units: 0, objects: 0, bytes: 0 };
  const format = ({ units, objects, bytes }: Purged) =>
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
      const isUntold = !dryRun && purged.invalidations.length === 0;
      const printed = { ...purged, ...(dryRun && { dryRun }), ...(isUntold && { notTold: NOT_TOLD }) };
      output.write(json ? JSON.stringify(printed) : format(purged));
      if (!json && tags > 0) output.write(`Invalidating ${counted(tags, 'cache tag')} at the CDN`);
      if (!json && isUntold) output.write(`${NOT_TOLD}: ${formatTags(purged.cacheTags)}`);
      await output.close();
    },
  };
}
