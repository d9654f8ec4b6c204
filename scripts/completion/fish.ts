import type { CompletedCommand, Values } from './command-tree.ts';

/** Returns a script that completes the command in fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  return `# Completion of edgepress for fish. Save it with: edgepress completion fish > ~/.config/fish/completions/edgepress.fish
function __edgepress_at
  set -l at
  for word in (commandline -opc)[2..]
    contains -- (string join ' ' -- $at $word) ${paths.map(quoted).join(' ')}
      and set at $at $word
  end
  test (string join ' ' -- $at | string collect --allow-empty) = "$argv"
end
complete -c edgepress -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, subcommands, options, values }: CompletedCommand): string[] {
  const start = `complete -c edgepress -n ${quoted(`__edgepress_at ${path}`.trimEnd())}`;
  return [
    ...subcommands.map(({ name, description }) => `${start} -a ${quoted(name)} -d ${quoted(description)}`),
    ...values.choices.map((choice) => `${start} -a ${quoted(choice)}`),
    ...(values.isFile ? [`${start} -F`] : []),
    ...options.map(({ flags, description, values: after }) => {
      const names = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      return `${start} ${names.join(' ')}${after ? ` ${argumentOf(after)}` : ''} -d ${quoted(description)}`;
    }),
  ];
}

function argumentOf({ choices, isFile }: Values): string {
  if (choices.length > 0) return `-x -a ${quoted(choices.join(' '))}`;
  return isFile ? '-r -F' : '-x';
}

/** In single quotes, fish has only these two escapes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
