import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommandInProcess } from '../support/command.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { prepared } from '../support/setup/prepared.ts';

const missing = await prepared('shells');

type Shell = 'bash' | 'zsh' | 'fish';

/** Returns what each line is completed with, once for each line. */
const COMPLETE: Record<Shell, string> = {
  bash: `source "$1"; COMP_LINE=$2 COMP_POINT=\${#2}; _edgepress; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Completion itself works in a terminal only: here is what the script hands to it.
  zsh: `compdef() { }
    _describe() { print -rl -- \${\${(P)2}//\\\\:/%} }
    _files() { print -r -- FILES }
    source "$1"; words=(\${(s: :)2}); [[ $2 == *" " ]] && words+=(''); CURRENT=\${#words}; _edgepress`,
  fish: `source $argv[1]; complete -C $argv[2]`,
};

/** What a word is separated by from its description; bash shows none. */
const DESCRIPTION: Record<Shell, string> = { bash: '\n', zsh: ':', fish: '\t' };

async function complete(shell: Shell, line: string): Promise<string[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'units.jsonl'), '');
  const script = join(folder, shell);
  await writeFile(script, (await runCommandInProcess(['completion', shell])).stdout);
  const args =
    shell === 'fish' ? ['-c', COMPLETE.fish, script, line] : ['-c', COMPLETE[shell], shell, script, line];
  const text = execFileSync(shell, args, {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
  });
  const words = text.split('\n').map((one) => one.split(DESCRIPTION[shell])[0]?.replace('%', ':') ?? '');
  return words.filter((word) => word !== '');
}

describe.each<Shell>(['bash', 'zsh', 'fish'])('The completion of %s', (shell) => {
  const completed = (line: string) => complete(shell, line);

  it.skipIf(missing)('offers commands, and what belongs to each', async () => {
    expect(await completed('edgepress ')).toEqual(expect.arrayContaining(['serve', 'sign', 'deploy:check']));
    expect(await completed('edgepress keys ')).toEqual(expect.arrayContaining(['list', 'rotate', 'revoke']));
    expect(await completed('edgepress keys ')).not.toContain('serve');
    expect(await completed('edgepress keys rotate --')).toEqual(
      expect.arrayContaining(['--keep', '--settle']),
    );
    // A value that is called like a command is none.
    expect(await completed('edgepress sign --unit keys --')).toContain('--src');
  });

  it.skipIf(missing)('offers the values of options and arguments', async () => {
    const states = ['broken', 'failed', 'pending', 'ready'];
    expect((await completed('edgepress units --state ')).sort()).toEqual(states);
    expect(await completed('edgepress completion ')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
    expect((await completed('edgepress sign --unit a --f ')).sort()).toEqual([
      'auto',
      'avif',
      'jpeg',
      'webp',
    ]);
  });
});

describe.skipIf(missing)('The completion', () => {
  it('of bash completes a command with a colon, and values behind an equals sign', async () => {
    expect(await complete('bash', 'edgepress dep')).toEqual(['deploy:check']);
    expect(await complete('bash', 'edgepress deploy:')).toEqual(['check']);
    expect(await complete('bash', 'edgepress units --state=b')).toEqual(['broken']);
  });

  it('of zsh and fish offers files where a command takes them', async () => {
    expect(await complete('zsh', 'edgepress prewarm ')).toContain('FILES');
    expect(await complete('zsh', 'edgepress status ')).not.toContain('FILES');
    expect(await complete('fish', 'edgepress prewarm u')).toContain('units.jsonl');
    expect(await complete('fish', 'edgepress status u')).not.toContain('units.jsonl');
  });
});
