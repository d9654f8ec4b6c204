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

  /** Runs the block of the shell that has this text. */
  const runBlock = (text: string) => {
    const command = codeBlocksOf(page).find((block) => block.text.includes(text))?.text ?? '';
    const { PATH, HOME } = process.env;
    return execFileSync('sh', ['-c', command], {
      env: { PATH, HOME, LC_ALL: 'C.UTF-8' },
      encoding: 'utf8',
    }).trim();
  };

  it('shows the program in Python, and how it prints the result of the test vector', () => {
    const shown = codeBlocksOf(page).filter(({ language }) => language === 'python');
    expect(shown.map(({ text }) => text.trim())).toEqual([readPage('examples/signing/sign.py').trim()]);
    expect(runBlock('python3 examples')).toBe(vector);
  });

  it('gives the same result on the command line', () => {
    expect(runBlock('npm run -s sign')).toBe(`http://127.0.0.1:3000${vector}`);
  });
});
