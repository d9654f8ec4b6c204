import { Command } from 'commander';
import { isUnconfigured, openTo } from '../src/config.ts';
import { VARIABLES, type Variable } from '../src/config-variables.ts';
import { addExamples } from './cli/examples.ts';
import { printMessage } from './cli/output.ts';
import { readEnvironment } from './cli/unit-session.ts';

/** `config`: prints every variable with its value and where the value comes from. */
export function configCommand(): Command {
  const command = new Command('config')
    .description('print every environment variable with the value that is in effect, and where it comes from')
    .option('--set', 'only variables that are set')
    .option('--json', 'print an array of objects instead of a table')
    .addHelpText(
      'after',
      '\nSecrets are never printed. Exit status 1: a value is wrong, or a variable is misspelt; nothing would start.',
    )
    .action(printConfig);
  return addExamples(command, [
    ['edgepress config --set', 'what is configured'],
    ['PORT=8080 STORE=s3://my-bucket edgepress config --json', 'for another program'],
  ]);
}

/** A variable in effect. */
interface Setting {
  name: string;
  /** Secrets, and the passwords and queries of URLs, which may have one: `hidden`. Not set and without a value: what that means. */
  value: string;
  from: 'environment' | 'default';
}

function printConfig({ set, json }: { set?: true; json?: true }): void {
  const config = readEnvironment();
  const all = Object.values<Variable<unknown>>(VARIABLES).map((variable) => settingOf(variable, process.env));
  const settings = set ? all.filter(({ from }) => from === 'environment') : all;
  process.stdout.write(json ? `${JSON.stringify(settings, undefined, 2)}\n` : toTable(settings));
  for (const sentence of openTo(config)) printMessage(`Open: ${sentence}.`);
  if (isUnconfigured())
    printMessage('Nothing is configured: edgepress serve runs the demo, in a folder of its own.');
}

function settingOf(variable: Variable<unknown>, env: NodeJS.ProcessEnv): Setting {
  const { name, isSecret } = variable;
  const text = env[name];
  if (text) return { name, value: isSecret ? 'hidden' : withoutSecrets(text), from: 'environment' };
  return { name, value: defaultOf(variable), from: 'default' };
}

/** Programs that are told something are often given a secret in the query of their URL, or before its host. */
function withoutSecrets(text: string): string {
  return text.replaceAll(/https?:\/\/[^,\s]*/gi, (url) =>
    url.replace(/\?.*/, '?hidden').replace(/\/\/[^/?#]*@/, '//hidden@'),
  );
}

function defaultOf({ default: unset }: Variable<unknown>): string {
  if (typeof unset === 'string') return unset;
  const { value, words } = unset;
  const plain = words.replaceAll('`', '');
  return typeof value === 'number' ? `${value} (${plain})` : plain;
}

/** One line a variable. A value with line breaks, such as JSON, stays on its line. */
function toTable(settings: readonly Setting[]): string {
  const rows = settings.map(({ name, value, from }) => [name, from, value.replaceAll(/\s+/g, ' ')] as const);
  const widthOf = (column: 0 | 1) => Math.max(0, ...rows.map((row) => row[column].length));
  const [names, sources] = [widthOf(0), widthOf(1)];
  return rows
    .map(([name, from, value]) => `${name.padEnd(names)}  ${from.padEnd(sources)}  ${value}\n`)
    .join('');
}
