import { Command } from 'commander';
import { addExamples } from './cli/examples.ts';
import { stackArgument } from './cli/options.ts';
import { printMessage } from './cli/output.ts';

interface EnvOptions {
  json?: true;
  keys: boolean;
}

/** `env`: prints the environment of a deployed stack, for the other commands. */
export function envCommand(): Command {
  const command = new Command('env')
    .description('print the environment of a deployed stack, for the other commands')
    .addArgument(stackArgument())
    .option('--no-keys', 'leave out SIGNING_KEYS')
    .option('--json', 'print a JSON object instead of shell commands')
    .addHelpText(
      'after',
      '\nThe AWS region and credentials are found as in every AWS SDK.' +
        '\nOn failure it prints `false`, so that eval fails too and nothing runs with the variables of before.' +
        '\nWithout --no-keys, the output contains the secret keys that sign URLs.',
    )
    // Errors in the arguments must fail the shell, too.
    .configureOutput({
      outputError(text, write) {
        process.stdout.write(FAILING_LINE);
        write(text);
      },
    })
    .action(printEnvironment);
  return addExamples(command, [
    ['eval "$(edgepress env Edgepress)" && edgepress smoke', 'sets the variables of this shell'],
    ['edgepress env Edgepress --no-keys --json', 'for another program'],
  ]);
}

/** Makes `eval` of the output fail: of an empty output, it would succeed. */
const FAILING_LINE = 'false\n';

async function printEnvironment(stackName: string, { json, keys }: EnvOptions): Promise<void> {
  // Loaded here because the AWS SDK takes longer to load than everything else.
  const { readStackEnvironment } = await import('./env/stack-environment.ts');
  const options = { keys, onMessage: printMessage };
  const environment = await readStackEnvironment(stackName, options).catch((error: unknown) => {
    if (!json) process.stdout.write(FAILING_LINE);
    throw error;
  });
  process.stdout.write(json ? `${JSON.stringify(environment, undefined, 2)}\n` : toShell(environment));
}

/** Lines that set the variables in any POSIX shell, with every value quoted. */
function toShell(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
}
