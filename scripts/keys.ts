import { Command, Option } from 'commander';
import { DEFAULT_STACK } from './aws/default-stack.ts';
import { wholeNumberWithin } from './command/number-within.ts';

// What talks to AWS is loaded only where it is used: it takes longer to load than all the rest.
const commands = () => import('./keys/commands.ts');

/** How many old keys a rotation leaves valid. */
const KEEP = 2;
/** The most of them: an edge has room for twelve keys, and while a rotation is under way, both the last and the next new one are there. */
const MOST_KEPT = 10;
/** CloudFront tells all of its locations within seconds to low tens of seconds, and gives no way to ask. */
const SETTLE_SECONDS = 30;

/** `keys`: looks at the signing keys of a deployed stack, and changes them. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('list, rotate or revoke the signing keys of a deployed stack')
    .addCommand(listCommand())
    .addCommand(rotateCommand())
    .addCommand(revokeCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('say which keys there are, which one signs, and whether edge and signers agree')
    .argument('[stack]', 'the name of the stack', DEFAULT_STACK)
    .addHelpText('after', '\nNo key is ever printed. Ends with 2 when something is to be done.')
    .action(async (stack: string) => (await commands()).list(stack));
}

function rotateCommand(): Command {
  return new Command('rotate')
    .description('make a new key that signs; old ones stay valid for a while')
    .argument('[stack]', 'the name of the stack', DEFAULT_STACK)
    .option(
      '--keep <count>',
      `how many old keys stay valid, ${MOST_KEPT} at most`,
      wholeNumberWithin(0, MOST_KEPT),
      KEEP,
    )
    .addOption(settleOption())
    .addHelpText('after', '\nWherever it stops, URLs stay valid, and running it again goes on from there.')
    .action(async (stack: string, options: { keep: number; settle: number }) =>
      (await commands()).rotate(stack, options),
    );
}

function revokeCommand(): Command {
  return new Command('revoke')
    .description('make a key, and with it all URLs that it has signed, invalid')
    .argument('<stack>', 'the name of the stack')
    .argument('<id>', 'the id of the key, as list prints it')
    .addOption(settleOption())
    .addHelpText('after', '\nWherever it stops, running it again goes on from there.')
    .action(async (stack: string, id: string, options: { settle: number }) =>
      (await commands()).revoke(stack, id, options),
    );
}

function settleOption(): Option {
  return new Option('--settle <seconds>', 'how long every edge location gets to learn of a new key')
    .argParser(wholeNumberWithin(0, 3600))
    .default(SETTLE_SECONDS);
}
