import { tmpdir } from 'node:os';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { BROKEN_KINDS, type ClientServer, LIMITS, serveBrokenSources } from './harness/broken-sources.ts';
import {
  compareReport,
  type ExpectedOutcomes,
  generateOutcomes,
  kindName,
  type OutcomeCounts,
} from './harness/expected-outcomes.ts';
import { formatMebibytes, print } from './harness/measurements.ts';
import { runCommand } from './harness/processes.ts';
import { prewarmFiles, readReport, withFolder, writeUnits } from './harness/work-files.ts';

/** One unit in ten has a broken image beside a good one. */
const BROKEN_EVERY = 10;

export function brokenUnitsCommand(): Command {
  return new Command('broken-units')
    .description('prewarm units of which 10% are broken in every known way, and check the report of each')
    .option('--units <n>', 'number of units', wholeNumber, 2000)
    .action(checkBrokenUnits);
}

/** The report of a prewarm of units with every kind of broken source, against the expected outcome of each image. */
async function checkBrokenUnits({ units }: { units: number }): Promise<void> {
  const origin = await serveBrokenSources();
  try {
    const broken = { brokenEvery: BROKEN_EVERY, kinds: BROKEN_KINDS };
    const expected = generateOutcomes({ origin, units, goodImages: 1, ...broken });
    await withFolder(tmpdir(), (folder) => prewarmAndCompare(folder, origin, expected));
  } finally {
    origin.close();
  }
}

async function prewarmAndCompare(
  folder: string,
  origin: ClientServer,
  { units, images }: ExpectedOutcomes,
): Promise<void> {
  const { unitsFile, reportFile, storeFolder } = prewarmFiles(folder);
  await writeUnits(unitsFile, units);
  const end = await runCommand(['prewarm', unitsFile, '--report', reportFile], {
    STORE: `file:${storeFolder}`,
    PREWARM_WIDTHS: '320',
    ...LIMITS,
    ...origin.env,
  });
  const counts = await compareReport(readReport(reportFile), images);
  printCounts(counts);
  const { seconds, status, peakMemoryBytes } = end;
  const rate = `${images.size} images in ${seconds.toFixed(1)} s: ${(images.size / seconds).toFixed(1)} images/s`;
  print(`${units.length} units, ${rate}; ${formatMebibytes(peakMemoryBytes)} at most; ended with ${status}`);
  const isRight = [...counts.values()].every(({ wrong }) => wrong === 0) && status === 2;
  print(isRight ? 'all right' : `WRONG\n${end.stderr}`);
  process.exitCode = isRight ? 0 : 1;
}

function printCounts(counts: ReadonlyMap<string, OutcomeCounts>): void {
  printRow('kind', 'expected', 'images', 'right', 'wrong');
  for (const kind of [undefined, ...BROKEN_KINDS]) {
    const name = kindName({ kind });
    const { right, wrong } = counts.get(name) ?? { right: 0, wrong: 0 };
    printRow(name, kind?.code ?? 'ready', right + wrong, right, wrong);
  }
  for (const [name, { example }] of counts) if (example !== undefined) print(`${name}: ${example}`);
}

function printRow(kind: string, expected: string, ...counts: readonly (string | number)[]): void {
  const cells = counts.map((count) => String(count).padStart(6));
  print([kind.padEnd(30), expected.padEnd(20), ...cells].join(' '));
}
