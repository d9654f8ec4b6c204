import { Command, Option } from 'commander';
import { addExamples } from './cli/examples.ts';
import { stackArgument, wholeNumberWithin } from './cli/options.ts';

// Loaded when a command runs because the AWS SDK takes longer to load than everything else.
const loadCommands = () => import('./keys/commands.ts');

/** How many old keys stay valid after a rotation. */
const DEFAULT_KEEP = 2;
/** The KeyValueStore holds twelve keys, and during a rotation it also holds the previous last key and the new one. */
const MAX_KEEP = 10;
/** CloudFront updates all edge locations within seconds to low tens of seconds, and has no way to ask whether it has. */
const SETTLE_SECONDS = 30;

interface JsonOption {
  json?: true;
}

/** `keys`: lists and changes the signing keys of a deployed stack. */
export function keysCommand(): Command {
  const command = new Command('keys')
    .description('list, rotate or revoke the signing keys of a deployed stack')
    .addCommand(listCommand())
    .addCommand(rotateCommand())
    .addCommand(revokeCommand());
  return addExamples(command, [
    ['edgepress keys list', 'the keys of the stack Edgepress'],
    ['edgepress keys rotate Edgepress', 'a new key that signs'],
  ]);
}

function listCommand(): Command {
  const command = new Command('list')
    .description('show all keys, which one signs, and whether edge and signers agree')
    .addArgument(stackArgument())
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      '\nThe keys themselves are never printed. Exit status: 2 when something has to be done.',
    )
    .action(async (stack: string, options: JsonOption) => (await loadCommands()).list(stack, options));
  return addExamples(command, [
    ['edgepress keys list', 'the keys of the stack Edgepress'],
    ["edgepress keys list Edgepress-EU --json | jq -r '.keys[].id'", 'the ids of those of another stack'],
  ]);
}

function rotateCommand(): Command {
  const command = new Command('rotate')
    .description('create a new key that signs; the latest old ones stay valid')
    .addArgument(stackArgument())
    .option(
      '--keep <count>',
      `how many old keys stay valid, at most ${MAX_KEEP}`,
      wholeNumberWithin(0, MAX_KEEP),
      DEFAULT_KEEP,
    )
    .addOption(settleOption())
    .option('--json', 'print a JSON object')
    .addHelpText('after', '\nWherever it stops, URLs stay valid. Run it again to continue from there.')
    .action(async (stack: string, options: JsonOption & { keep: number; settle: number }) =>
      (await loadCommands()).rotate(stack, options),
    );
  return addExamples(command, [
    ['edgepress keys rotate', 'a new key that signs; the two before it stay valid'],
    ['edgepress keys rotate Edgepress --keep 0', 'only the new key is valid'],
  ]);
}

function revokeCommand(): Command {
  const command = new Command('revoke')
    .description('make a key invalid, and with it all URLs that it has signed')
    .argument('<stack>', 'the name of the stack')
    .argument('<id>', 'the id of the key, as list prints it')
    .addOption(settleOption())
    .option('--json', 'print a JSON object')
    .addHelpText('after', '\nWherever it stops, run it again to continue from there.')
    .action(async (stack: string, id: string, options: JsonOption & { settle: number }) =>
      (await loadCommands()).revoke(stack, id, options),
    );
  return addExamples(command, [
    ['edgepress keys revoke Edgepress k20261125-5b2910', 'a key that leaked'],
    ['edgepress keys revoke Edgepress k20261125-5b2910 --settle 60', 'waits longer for edge locations'],
  ]);
}

function settleOption(): Option {
  return new Option('--settle <seconds>', 'how long to wait for all edge locations to receive a new key')
    .argParser(wholeNumberWithin(0, 3600))
    .default(SETTLE_SECONDS);
}
