import type { CompletedCommand } from './command-tree.ts';

/**
 * Returns a script that completes the command in bash.
 *
 * Words are read from the line itself: bash takes the colon of `deploy:check` for the end of a word, and replaces only what is behind it.
 */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# Completion of edgepress for bash. Load it with: source <(edgepress completion bash)
_edgepress() {
  local line=\${COMP_LINE:0:COMP_POINT} at='' before='' found='' word words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local count=\${#words[@]}
  local current=\${words[count - 1]}
  for word in "\${words[@]:1:count-2}"; do
    case "$at $word" in
      ${caseOf(commands.map(({ path }) => path).filter((path) => path !== ''))}) at="$at $word" ;;
    esac
    before=$word
  done
  if [[ $current == --*=* ]]; then
    before=\${current%%=*}
    current=\${current#*=}
  fi
  case "$at $before" in
${valueCases(commands)}
    *)
      case "$at" in
${wordCases(commands)}
      esac ;;
  esac
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$found" -- "$current"))
  [[ $current == *:* ]] && COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*:}"}"}")
}
complete -o default -F _edgepress edgepress
`;
}

/** A pattern that matches a path, which begins with a space. */
function caseOf(paths: readonly string[]): string {
  return paths.map((path) => `' ${path}'`).join(' | ');
}

function valueCases(commands: readonly CompletedCommand[]): string {
  return commands
    .flatMap(({ path, options }) =>
      options
        .filter(({ values }) => values)
        .map(({ flags, values }) => {
          const patterns = flags.map((flag) => `'${path === '' ? '' : ` ${path}`} ${flag}'`).join(' | ');
          return `    ${patterns}) found=${quoted(values?.choices ?? [])} ;;`;
        }),
    )
    .join('\n');
}

function wordCases(commands: readonly CompletedCommand[]): string {
  return commands
    .map(({ path, subcommands, options, values }) => {
      const words = [
        ...subcommands.map(({ name }) => name),
        ...values.choices,
        ...options.flatMap(({ flags }) => flags),
      ];
      return `        '${path === '' ? '' : ` ${path}`}') found=${quoted(words)} ;;`;
    })
    .join('\n');
}

/** One word a line. */
function quoted(words: readonly string[]): string {
  return `$'${words.join('\\n')}'`;
}
