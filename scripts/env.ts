import { Command } from 'commander';
import { DEFAULT_STACK } from './aws/default-stack.ts';

interface EnvOptions {
  json?: true;
  keys: boolean;
}

/** `env`: prints the environment of a deployed stack, for the other commands. */
export function envCommand(): Command {
  return (
    new Command('env')
      .description('print the environment of a deployed stack, for the other commands')
      .argument('[stack]', 'the name of the stack', DEFAULT_STACK)
      .option('--no-keys', 'without SIGNING_KEYS')
      .option('--json', 'print an object instead of lines for a shell')
      .addHelpText(
        'after',
        '\nThe region and the credentials are found as by every AWS SDK. For a shell: eval "$(npm run -s env -- Edgepress)"' +
          '\nWhere it fails it prints `false`, so that eval fails too, rather than go on with what was set before:' +
          '\neval "$(npm run -s env -- Edgepress)" && npm run smoke' +
          '\nPrinted without --no-keys, it holds the secret that signs URLs.',
      )
      // What is wrong with the arguments, too.
      .configureOutput({
        outputError(text, write) {
          process.stdout.write(FAILS);
          write(text);
        },
      })
      .action(env)
  );
}

/** For `eval`: without it, nothing is printed, and that succeeds. */
const FAILS = 'false\n';

async function env(stackName: string, { json, keys }: EnvOptions): Promise<void> {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  // What talks to AWS is loaded only where it is used: it takes longer to load than all the rest.
  const { readEnvironmentOf } = await import('./keys/stack-environment.ts');
  const environment = await readEnvironmentOf(stackName, { keys, say }).catch((error: unknown) => {
    if (!json) process.stdout.write(FAILS);
    throw error;
  });
  process.stdout.write(json ? `${JSON.stringify(environment, undefined, 2)}\n` : toShell(environment));
}

/** Lines that say the same to any shell, whatever the values hold. */
function toShell(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
}
