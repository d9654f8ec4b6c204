import { type Invalidation, NOT_TOLD } from '../../src/cdn/cdn.ts';
import type { PurgedUnit, PurgeResult } from '../../src/purge/purge.ts';
import { printMessage, standardOutput } from '../cli/output.ts';
import { counted, formatBytes, formatCount } from '../cli/text.ts';
import { formatTags, SHOWN_TAGS } from './format-tags.ts';

/** Prints what is purged, and adds it up. */
export interface PurgeReporter {
  /** @param hasFailed - the CDN has not accepted it: the caller says what is left */
  addPurge(purge: PurgeResult, hasFailed?: boolean): void;
  /** Counts a line of input that is not a unit id. The first few are printed. */
  addRefused(problem: string): void;
  /** Resolves when standard output has room for more. */
  ready(): Promise<void>;
  printTotals(): void;
  readonly invalidations: readonly Invalidation[];
  /** 2 when lines were refused, else 0. */
  exitCode(): 0 | 2;
  close(): Promise<void>;
}

export interface PurgeReporterOptions {
  dryRun?: true;
  json?: true;
  /** Whether to print a line for each unit in text, too. */
  listUnits: boolean;
}

const SHOWN_REFUSALS = 20;
const SHOWN_INVALIDATIONS = 5;
/** How often the totals so far are printed when units are not listed. */
const PROGRESS_EVERY_MS = 5000;

export function createPurgeReporter({ dryRun, json, listUnits }: PurgeReporterOptions): PurgeReporter {
  const output = standardOutput();
  const invalidations: Invalidation[] = [];
  /** The first tags of units that no cache was told of. */
  let untoldTags: string[] = [];
  let [units, objects, bytes, refused, untold] = [0, 0, 0, 0, 0];
  let progressAtMs = performance.now();

  function printJson(purge: PurgeResult): void {
    for (const unit of purge.units) output.write(JSON.stringify(dryRun ? { ...unit, dryRun } : unit));
    for (const { id, tags } of purge.invalidations) output.write(JSON.stringify({ invalidation: id, tags }));
  }

  function printText(purge: PurgeResult): void {
    if (listUnits) {
      for (const unit of purge.units) output.write(formatUnit(unit));
    } else if (performance.now() - progressAtMs > PROGRESS_EVERY_MS) {
      progressAtMs = performance.now();
      printMessage(formatTotals());
    }
  }

  function addUntold(purged: readonly PurgedUnit[]): void {
    untold += purged.length;
    untoldTags = [...untoldTags, ...purged.map(({ cacheTag }) => cacheTag)].slice(0, SHOWN_TAGS);
  }

  function formatTotals(): string {
    const action = dryRun ? 'would be purged' : 'purged';
    return `${counted(units, 'unit')} ${action}: ${counted(objects, 'object')}, ${formatBytes(bytes)}`;
  }

  return {
    invalidations,
    ready: output.ready,
    close: output.close,
    addPurge(purge, hasFailed = false) {
      units += purge.units.length;
      for (const unit of purge.units) {
        objects += unit.objects;
        bytes += unit.bytes;
      }
      invalidations.push(...purge.invalidations);
      if (!dryRun && !hasFailed && purge.invalidations.length === 0) addUntold(purge.units);
      if (json) printJson(purge);
      else printText(purge);
    },
    addRefused(problem) {
      if (++refused <= SHOWN_REFUSALS) printMessage(problem);
    },
    printTotals() {
      const lines = [
        formatTotals(),
        ...(invalidations.length > 0 ? [formatInvalidations(invalidations)] : []),
        ...(untold > 0 ? [`${NOT_TOLD}: ${formatTags(untoldTags, untold)}`] : []),
        ...(refused > 0 ? [`${counted(refused, 'line')} refused`] : []),
      ];
      if (json) printMessage(lines.join('\n'));
      else output.write(lines.join('\n'));
    },
    exitCode: () => (refused > 0 ? 2 : 0),
  };
}

function formatUnit({ id, objects, bytes }: PurgedUnit): string {
  return `${id}: ${objects === 0 ? 'nothing to delete' : `${counted(objects, 'object')}, ${formatBytes(bytes)}`}`;
}

function formatInvalidations(invalidations: readonly Invalidation[]): string {
  const tags = invalidations.reduce((sum, one) => sum + one.tags, 0);
  const ids = invalidations.slice(0, SHOWN_INVALIDATIONS).map(({ id }) => id);
  const more =
    invalidations.length > ids.length ? ` and ${formatCount(invalidations.length - ids.length)} more` : '';
  return `Invalidating ${counted(tags, 'cache tag')} at the CDN: ${ids.join(', ')}${more}`;
}
