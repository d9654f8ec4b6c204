import type { Invalidation } from '../src/cdn/cdn.ts';
import type { Purge, PurgedUnit } from '../src/purge/purge.ts';
import { counted, formatBytes, formatCount } from './command/amounts.ts';
import { standardOutput } from './command/line-output.ts';

/** Takes down what went, and says so. */
export interface PurgeAccount {
  add(purge: Purge): void;
  /** Notes what is no unit. */
  refuse(complaint: string): void;
  /** Ends when there is room for more. */
  room(): Promise<void>;
  /** Says what it came to. */
  sum(): void;
  readonly invalidations: readonly Invalidation[];
  exitCode(): 0 | 2;
}

export interface PurgeAccountOptions {
  dryRun?: true;
  json?: true;
  /** Whether the user named each unit, so that something is said of each. */
  isNamed: boolean;
  say: (text: string) => void;
}

/** More lines that are no unit are only counted. */
const SHOWN_COMPLAINTS = 20;
const SHOWN_INVALIDATIONS = 5;
/** How often a long purge says how far it is. */
const SAY_EVERY_MS = 5000;

export function createPurgeAccount({ dryRun, json, isNamed, say }: PurgeAccountOptions): PurgeAccount {
  const output = standardOutput();
  const invalidations: Invalidation[] = [];
  let [units, objects, bytes, refused] = [0, 0, 0, 0];
  let saidMs = performance.now();

  function printJson(purge: Purge): void {
    for (const unit of purge.units) output.write(JSON.stringify(dryRun ? { ...unit, dryRun } : unit));
    for (const { id, tags } of purge.invalidations) output.write(JSON.stringify({ invalidation: id, tags }));
  }

  function printText(purge: Purge): void {
    if (isNamed) {
      for (const unit of purge.units) output.write(describeUnit(unit));
    } else if (performance.now() - saidMs > SAY_EVERY_MS) {
      saidMs = performance.now();
      say(describeSum());
    }
  }

  function describeSum(): string {
    const what = `${counted(units, 'unit')} ${dryRun ? 'would be purged' : 'purged'}`;
    return `${what}: ${counted(objects, 'object')}, ${formatBytes(bytes)}`;
  }

  return {
    invalidations,
    room: output.room,
    add(purge) {
      units += purge.units.length;
      for (const unit of purge.units) {
        objects += unit.objects;
        bytes += unit.bytes;
      }
      invalidations.push(...purge.invalidations);
      if (json) printJson(purge);
      else printText(purge);
    },
    refuse(complaint) {
      if (++refused <= SHOWN_COMPLAINTS) say(complaint);
    },
    sum() {
      const lines = [
        describeSum(),
        ...(invalidations.length > 0 ? [describeInvalidations(invalidations)] : []),
        ...(refused > 0 ? [`${counted(refused, 'line')} refused`] : []),
      ];
      if (json) say(lines.join('\n'));
      else output.write(lines.join('\n'));
    },
    exitCode: () => (refused > 0 ? 2 : 0),
  };
}

function describeUnit({ id, objects, bytes }: PurgedUnit): string {
  return `${id}: ${objects === 0 ? 'nothing was there' : `${counted(objects, 'object')}, ${formatBytes(bytes)}`}`;
}

function describeInvalidations(invalidations: readonly Invalidation[]): string {
  const tags = invalidations.reduce((sum, one) => sum + one.tags, 0);
  const ids = invalidations.slice(0, SHOWN_INVALIDATIONS).map(({ id }) => id);
  const more =
    invalidations.length > ids.length ? ` and ${formatCount(invalidations.length - ids.length)} more` : '';
  return `The CDN is asked to forget ${counted(tags, 'cache tag')}: ${ids.join(', ')}${more}`;
}
