import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Slow tests that take the longest, in the order in which they are started: one that is started last runs alone in the end, while the other
 * processes have nothing to do. Those that need nothing but Node come first, while programs are still being installed.
 */
const LONGEST: readonly string[] = [
  'test/encode/never-larger.slow.test.ts',
  'test/scripts/fuzz.slow.test.ts',
  'test/encode/best-scores.slow.test.ts',
  'test/encode/animation-bytes.slow.test.ts',
  'test/infra/regions.slow.test.ts',
  'test/cluster/killed-workers.slow.test.ts',
  'test/cluster/workers.slow.test.ts',
  'test/pages/units.slow.test.ts',
  'test/examples/signing.slow.test.ts',
  'test/examples/accept.slow.test.ts',
];

/** Starts tests in the order of Vitest, which knows no times in a fresh checkout and goes by the size of files, but the longest before all other slow ones. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const missing = LONGEST.filter((file) => !existsSync(join(root, file)));
    if (missing.length > 0) throw new Error(`longest-first.ts names files that are not there: ${missing}`);
    const rankOf = ({ project, moduleId }: TestSpecification) => {
      if (project.name === 'fast') return -1;
      const rank = LONGEST.indexOf(relative(root, moduleId));
      return rank < 0 ? LONGEST.length : rank;
    };
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}
