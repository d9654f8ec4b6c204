import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFileJournal } from '../../src/store/file-journal.ts';
import { makeFolder } from '../support/store/folder.ts';

it('a journal that cannot be read tells nothing, and is read when it can be again', async () => {
  const path = join(await makeFolder(), 'changes');
  const journal = createFileJournal(path);
  expect(journal.read()).toEqual([]);
  await mkdir(path);
  await mkdir(join(path, 'more'));
  expect(journal.read()).toEqual([]);
  await rm(path, { recursive: true });
  await appendFile(path, 'other v1/00 1 4096\n');
  expect(journal.read()).toEqual([{ place: 'v1/00', files: 1, bytes: 4096 }]);
});
