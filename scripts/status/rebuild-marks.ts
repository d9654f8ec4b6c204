import type { Config } from '../../src/config.ts';
import type { RebuiltMarks } from '../../src/unit/rebuild-marks.ts';
import { watchForInterrupt } from '../cli/interrupt.ts';
import { printMessage } from '../cli/output.ts';
import { openUnitSession } from '../cli/unit-session.ts';

const SHARDS_BETWEEN_MESSAGES = 32;

/** Marks the units that only earlier versions have worked on, so that they are listed by their state, and prints how many there are. */
export async function rebuildMarks(config: Config): Promise<void> {
  const { units, drain, close } = await openUnitSession(config, printMessage);
  const interrupt = watchForInterrupt(printMessage);
  try {
    const rebuilt = await units.rebuildMarks((done, soFar) => {
      if (done % SHARDS_BETWEEN_MESSAGES === 0) printMessage(`${done} of 256 shards: ${textOf(soFar)}`);
    }, interrupt.signal);
    if (!interrupt.signal.aborted) return;
    printMessage(`Interrupted: ${textOf(rebuilt)}. Run it again for the others.`);
    process.exitCode = 1;
  } finally {
    interrupt.stop();
    await drain();
    await close();
  }
}

function textOf({ units, marked: { ready, broken, pending } }: Readonly<RebuiltMarks>): string {
  return `${units} units, of which ${ready} are ready now, ${broken} broken and ${pending} pending that had no mark`;
}
