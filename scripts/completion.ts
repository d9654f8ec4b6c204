import { Argument, Command } from 'commander';
import { addExamples } from './cli/examples.ts';
import { bashScript } from './completion/bash.ts';
import { commandTree } from './completion/command-tree.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `completion`: prints a script that completes commands, options and values in a shell. */
export function completionCommand(): Command {
  const command = new Command('completion')
    .description('print a script that completes commands, options and values in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS, _options, { parent }: Command) => {
      if (parent) process.stdout.write(SCRIPTS[shell](commandTree(parent)));
    });
  return addExamples(command, [
    ['source <(edgepress completion bash)', 'for this shell; in ~/.bashrc for all. The same with zsh'],
    ['edgepress completion fish > ~/.config/fish/completions/edgepress.fish', 'for fish'],
  ]);
}
