import type { CompletedCommand, Values } from './command-tree.ts';

/** Returns a script that completes the command in zsh, as a file of `fpath` named `_edgepress` or with `source`. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const paths = commands.filter(({ path }) => path !== '').map(({ path }) => `' ${path}'`);
  return `#compdef edgepress
# Completion of edgepress for zsh. Load it with: source <(edgepress completion zsh)
_edgepress() {
  local at= word before=\${words[CURRENT-1]}
  local -a found
  for word in \${words[2,CURRENT-1]}; do
    case "$at $word" in
      (${paths.join('|')}) at+=" $word" ;;
    esac
  done
  case "$at $before" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${commands.map(wordCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _edgepress ]]; then _edgepress "$@"; else compdef _edgepress edgepress; fi
`;
}

function valueCases({ path, options }: CompletedCommand): string[] {
  return options.flatMap(({ flags, values }) => {
    if (!values) return [];
    const patterns = flags.map((flag) => `'${at(path)} ${flag}'`).join('|');
    return [`    (${patterns}) ${actionOf(values)}return ;;`];
  });
}

function wordCase({ path, subcommands, options, values }: CompletedCommand): string {
  const described = [
    ...subcommands.map(({ name, description }) => describe(name, description)),
    ...values.choices.map((choice) => describe(choice)),
    ...options.flatMap(({ flags, description }) => flags.map((flag) => describe(flag, description))),
  ];
  return `    (${quoted(at(path))}) found=(${described.join(' ')}); _describe edgepress found${values.isFile ? '; _files' : ''} ;;`;
}

function actionOf({ choices, isFile }: Values): string {
  if (choices.length > 0)
    return `found=(${choices.map((choice) => describe(choice)).join(' ')}); _describe value found; `;
  return isFile ? '_files; ' : '';
}

/** A word with what it does, as `_describe` takes it: the first colon without a backslash ends the word. */
function describe(word: string, description?: string): string {
  const escaped = word.replaceAll(':', '\\:');
  return quoted(description === undefined ? escaped : `${escaped}:${description}`);
}

function at(path: string): string {
  return path === '' ? '' : ` ${path}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
