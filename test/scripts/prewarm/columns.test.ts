import { expect, it } from 'vitest';
import { createUnitSelection } from '../../../scripts/prewarm/unit-selection.ts';
import { readInput } from '../../support/unit/read-input.ts';

const DEFAULTS = {
  ladder: { widths: [1080], defaultWidth: 1080 },
  prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif'] },
} as const;

it('--id and --images find columns of CSV', async () => {
  const selection = createUnitSelection({ id: 'item_no', images: '[front, back]' }, DEFAULTS);
  const csv = 'item_no;front;back;title\n7;https://x.test/1;https://x.test/2;Hat\n8;https://x.test/3;;Cap';
  expect(await readInput(csv, selection)).toMatchObject({
    units: ['7: https://x.test/1, https://x.test/2', '8: https://x.test/3, images.1 (empty)'],
    refused: [],
    notes: [],
  });
});
