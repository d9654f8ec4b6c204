import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type CodeBlock, codeBlocksOf, readPage } from '../support/markdown.ts';

/** A network of its own, so that the README's ports are free and nothing leaves the machine; its processes end with it. */
const NAMESPACE = ['--net', '--pid', '--fork', '--kill-child'];
const canUnshare = spawnSync('unshare', [...NAMESPACE, 'ip', 'link', 'set', 'lo', 'up']).status === 0;
/** Printed between the outputs of two blocks. */
const SEPARATOR = '=== next block ===';

const SCRIPT_HEAD = `
exec 2>&1
ip link set lo up
npm start > start.log 2>&1 &
until grep -q 'curl -sD' start.log; do kill -0 $! || exit 1; sleep 0.1; done
cat start.log
`;

it.runIf(canUnshare)(
  'The commands of the README run as written and print what it shows',
  { timeout: 120_000 },
  () => {
    const blocks = codeBlocksOf(readPage('README.md'));
    const [start, ...commands] = blocks.filter(({ language }) => language === 'sh');
    // `npm ci` would replace the modules that this test runs with.
    expect(start?.text.trim()).toBe('npm ci && npm start');
    const script = [SCRIPT_HEAD, ...commands.map(({ text }) => text)].join(`\necho; echo '${SEPARATOR}'\n`);

    const outputs = runInCopy(script).split(SEPARATOR);

    expect(outputs).toHaveLength(commands.length + 1);
    [start, ...commands].forEach((command, index) => {
      const actual = normalise(outputs[index] ?? '');
      for (const line of expectedLines(blocks, command)) expect(actual).toMatch(line);
    });
  },
);

/** Runs a shell script in a folder that has the project's files and takes what the commands write. */
function runInCopy(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgepress-readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of readdirSync('.'))
    if (!/^(demo-)?data$/.test(name)) symlinkSync(resolve(name), join(folder, name));
  writeFileSync(join(folder, 'commands.sh'), script);
  const { PATH, HOME } = process.env;
  return execFileSync('unshare', [...NAMESPACE, 'bash', 'commands.sh'], {
    cwd: folder,
    env: { PATH, HOME },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The lines that the README shows as output of a command, as patterns: any number for a number, anything for an ellipsis. */
function expectedLines(blocks: readonly CodeBlock[], command: CodeBlock | undefined): RegExp[] {
  const from = command ? blocks.indexOf(command) + 1 : 0;
  const to = blocks.findIndex(({ language }, index) => index >= from && language === 'sh');
  const shown = blocks.slice(from, to < 0 ? undefined : to).flatMap(({ text }) => text.split('\n'));
  return shown
    .filter((line) => line.trim() !== '' && line.trim() !== '…')
    .map((line) => new RegExp(`^${escapePattern(normalise(line)).replaceAll('…', '.*')}$`, 'm'));
}

/** Shortens numbers to 0, and starts a new line for a log line of the server that follows a body without a line end. */
function normalise(text: string): string {
  return text
    .replaceAll('\r', '')
    .replaceAll('}{"level"', '}\n{"level"')
    .replaceAll(/ *\d+(\.\d+)?/g, ' 0');
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
