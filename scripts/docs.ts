import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderApiPage } from './docs/api-page.ts';
import { renderConfigurationPage } from './docs/configuration-page.ts';

// Writes the pages that are made from the code: `npm run docs`. With `--check`, it writes nothing and fails when one is out of date.

const PAGES = { 'configuration.md': renderConfigurationPage, 'api.md': renderApiPage };

for (const [name, render] of Object.entries(PAGES)) {
  const path = join(import.meta.dirname, '../docs', name);
  const page = render();
  if (!process.argv.includes('--check')) {
    writeFileSync(path, page);
  } else if (readFileSync(path, 'utf8') !== page) {
    process.stderr.write(`docs/${name} is out of date: run \`npm run docs\`\n`);
    process.exitCode = 1;
  }
}
