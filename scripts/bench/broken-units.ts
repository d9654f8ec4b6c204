import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../command/number-within.ts';
import { BROKEN_WAYS, type ClientServer, LIMITS, serveBrokenSources } from './broken-sources.ts';
import { runCommand } from './command-process.ts';
import { compareReport, type ExpectedUnits, expectUnits, nameOf, type Row } from './expected-units.ts';
import { readReport, writeUnits } from './unit-files.ts';
import { withFolder } from './work-folder.ts';

/** One unit in so many has a broken image beside a good one. */
const BROKEN_EVERY = 10;

/** What is said of units that are broken in every way there is, against what is to be said of each of their images. */
async function run({ units }: { units: number }): Promise<void> {
  const origin = await serveBrokenSources();
  try {
    const ways = { brokenEvery: BROKEN_EVERY, ways: BROKEN_WAYS };
    const expected = expectUnits({ origin, units, goodImages: 1, ...ways });
    await withFolder(tmpdir(), (folder) => measure(folder, origin, expected));
  } finally {
    origin.close();
  }
}

async function measure(
  folder: string,
  origin: ClientServer,
  { units, images }: ExpectedUnits,
): Promise<void> {
  const [input, report] = [join(folder, 'units.jsonl'), join(folder, 'report.jsonl')];
  await writeUnits(input, units);
  const end = await runCommand(['prewarm', input, '--report', report], {
    STORE: `file:${join(folder, 'store')}`,
    PREWARM_WIDTHS: '320',
    ...LIMITS,
    ...origin.env,
  });
  const rows = await compareReport(readReport(report), images);
  printRows(rows);
  const { seconds, status, peakMemoryBytes } = end;
  const rate = `${images.size} images in ${seconds.toFixed(1)} s: ${(images.size / seconds).toFixed(1)} images/s`;
  print(
    `${units.length} units, ${rate}; ${Math.round(peakMemoryBytes / 2 ** 20)} MiB at most; ended with ${status}`,
  );
  const isRight = [...rows.values()].every(({ wrong }) => wrong === 0) && status === 2;
  print(isRight ? 'all right' : `WRONG\n${end.stderr}`);
  process.exitCode = isRight ? 0 : 1;
}

function printRows(rows: ReadonlyMap<string, Row>): void {
  printCells('way', 'to be said', 'images', 'right', 'wrong');
  for (const way of [undefined, ...BROKEN_WAYS]) {
    const { right, wrong } = rows.get(nameOf({ way })) ?? { right: 0, wrong: 0 };
    printCells(nameOf({ way }), way?.code ?? 'ready', right + wrong, right, wrong);
  }
  for (const [name, { example }] of rows) if (example !== undefined) print(`${name}: ${example}`);
}

function printCells(way: string, said: string, ...counts: readonly (string | number)[]): void {
  print([way.padEnd(30), said.padEnd(20), ...counts.map((count) => String(count).padStart(6))].join(' '));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await new Command('broken-units')
  .description(
    'prewarm units of which 10% are broken in every way there is, and compare what is said of each',
  )
  .option('--units <n>', 'how many', wholeNumber, 2000)
  .action(run)
  .parseAsync();
