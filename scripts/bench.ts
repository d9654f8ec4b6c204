import { Command } from 'commander';
import { badNeighboursCommand } from './bench/bad-neighbours.ts';
import { bestCommand } from './bench/best.ts';
import { brokenUnitsCommand } from './bench/broken-units.ts';
import { bytesCommand } from './bench/bytes.ts';
import { coresCommand } from './bench/cores.ts';
import { edgeCommand } from './bench/edge.ts';
import { enqueueCommand } from './bench/enqueue.ts';
import { fleetCommand } from './bench/fleet.ts';
import { hitsCommand } from './bench/hits.ts';
import { hostileCommand } from './bench/hostile.ts';
import { killedCommand } from './bench/killed.ts';
import { lambdaCommand } from './bench/lambda.ts';
import { missesCommand } from './bench/misses.ts';
import { notificationsCommand } from './bench/notifications.ts';
import { overloadCommand } from './bench/overload.ts';
import { prewarmBesideViewersCommand } from './bench/prewarm-beside-viewers.ts';
import { prewarmLadderCommand } from './bench/prewarm-ladder.ts';
import { prewarmMemoryCommand } from './bench/prewarm-memory.ts';
import { smallOriginalsCommand } from './bench/small-originals.ts';
import { speedCommand } from './bench/speed.ts';
import { stampedeCommand } from './bench/stampede.ts';
import { tiersCommand } from './bench/tiers.ts';
import { runCommand } from './cli/command.ts';

/** `npm run bench -- NAME`: runs a benchmark; without a name `speed`. `scripts/bench/README.md` says what each compares. */
const program = new Command('bench')
  .description('measure and check the service on this machine')
  .showHelpAfterError()
  .addCommand(speedCommand(), { isDefault: true })
  .addCommand(missesCommand())
  .addCommand(hitsCommand())
  .addCommand(lambdaCommand())
  .addCommand(bytesCommand())
  .addCommand(bestCommand())
  .addCommand(smallOriginalsCommand())
  .addCommand(tiersCommand())
  .addCommand(coresCommand())
  .addCommand(stampedeCommand())
  .addCommand(prewarmLadderCommand())
  .addCommand(prewarmMemoryCommand())
  .addCommand(enqueueCommand())
  .addCommand(fleetCommand())
  .addCommand(overloadCommand())
  .addCommand(prewarmBesideViewersCommand())
  .addCommand(badNeighboursCommand())
  .addCommand(hostileCommand())
  .addCommand(edgeCommand())
  .addCommand(brokenUnitsCommand())
  .addCommand(killedCommand())
  .addCommand(notificationsCommand());

await runCommand(program);
// The servers of a command that failed end with this process.
if (process.exitCode) process.exit();
