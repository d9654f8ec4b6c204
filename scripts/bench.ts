import { Command } from 'commander';
import { bestCommand } from './bench/best.ts';
import { brokenUnitsCommand } from './bench/broken-units.ts';
import { bytesCommand } from './bench/bytes.ts';
import { edgeCommand } from './bench/edge.ts';
import { enqueueCommand } from './bench/enqueue.ts';
import { hitsCommand } from './bench/hits.ts';
import { killedCommand } from './bench/killed.ts';
import { lambdaCommand } from './bench/lambda.ts';
import { prewarmLadderCommand } from './bench/prewarm-ladder.ts';
import { prewarmMemoryCommand } from './bench/prewarm-memory.ts';
import { smallOriginalsCommand } from './bench/small-originals.ts';
import { stampedeCommand } from './bench/stampede.ts';
import { throughputCommand } from './bench/throughput.ts';
import { tiersCommand } from './bench/tiers.ts';
import { runCommand } from './cli/command.ts';

/** `npm run bench -- NAME`: runs a benchmark; without a name it lists them. `scripts/bench/README.md` says what each compares. */
const program = new Command('bench')
  .description('measure and check the service on this machine')
  .showHelpAfterError()
  .addCommand(bytesCommand())
  .addCommand(bestCommand())
  .addCommand(smallOriginalsCommand())
  .addCommand(tiersCommand())
  .addCommand(hitsCommand())
  .addCommand(throughputCommand())
  .addCommand(stampedeCommand())
  .addCommand(prewarmLadderCommand())
  .addCommand(prewarmMemoryCommand())
  .addCommand(enqueueCommand())
  .addCommand(lambdaCommand())
  .addCommand(edgeCommand())
  .addCommand(brokenUnitsCommand())
  .addCommand(killedCommand());

// Listing the benchmarks is not an error.
if (process.argv.length === 2) program.outputHelp();
else await runCommand(program);
