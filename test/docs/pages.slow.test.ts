import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, codeBlocksOf, localLinksOf, readPage } from '../support/markdown.ts';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'scripts/bench/README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe('The documents', () => {
  it.each(PAGES)('%s links only to files and headings that exist', (page) => {
    const broken = localLinksOf(readPage(page)).filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readPage(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('have a README of at most 150 lines and pages of at most 300 lines', () => {
    const lines = (page: string) => readPage(page).trimEnd().split('\n').length;
    expect(lines('README.md')).toBeLessThanOrEqual(150);
    expect(PAGES.filter((page) => lines(page) > 300)).toEqual([]);
  });
});

describe('docs/signing.md', () => {
  const page = readPage('docs/signing.md');
  const vector = /\| result \| `([^`]+)` \|/.exec(page)?.[1];

  it.each([
    ['python', 'python3', 'examples/signing/sign.py'],
    ['sh', 'sh', 'examples/signing/sign.sh'],
    ['perl', 'perl', 'examples/signing/sign.pl'],
    ['js', process.execPath, 'examples/signing/sign.mjs'],
  ])('shows a program in %s that prints the result of the test vector', (language, interpreter, file) => {
    const shown = codeBlocksOf(page).filter((block) => block.language === language);
    expect(shown.map(({ text }) => text.trim())).toContain(readPage(file).trim());
    expect(execFileSync(interpreter, [file], { encoding: 'utf8' }).trim()).toBe(vector);
  });

  it('gives the same result on the command line', () => {
    const command = codeBlocksOf(page).find(({ text }) => text.includes('npm run -s sign'))?.text ?? '';
    const { PATH, HOME } = process.env;
    const url = execFileSync('sh', ['-c', command], { env: { PATH, HOME }, encoding: 'utf8' }).trim();
    expect(url).toBe(`http://127.0.0.1:3000${vector}`);
  });
});
