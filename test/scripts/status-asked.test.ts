import { expect, it } from 'vitest';
import { createAskedTotals } from '../../scripts/status/asked-text.ts';

const MADE = { widths: [1080], tiers: ['balanced'], formats: ['avif', 'webp'] } as const;

it('status --asked adds up units, and names the settings that cover what was asked for', () => {
  const totals = createAskedTotals();
  expect(totals.text()).toBeUndefined();
  for (const id of ['a', 'b'])
    totals.add({
      ...{ id, prewarm: MADE },
      variants: [
        { width: 1080, tier: 'balanced', format: 'avif', images: 2, state: 'prewarmed' },
        { width: 720, tier: 'saver', format: 'jpeg', images: 1, state: 'asked' },
      ],
    });
  const [head, first, second, , ...rest] = totals.text()?.split('\n') ?? [];
  expect([head, first, second]).toEqual([
    '2 units:',
    '   720  saver     jpeg  2 images  asked for, not prewarmed',
    '  1080  balanced  avif  4 images  prewarmed',
  ]);
  expect(rest.slice(0, 3)).toEqual([
    'To prewarm it, too (12 variants an image instead of 2):',
    '  PREWARM_WIDTHS=720,1080 PREWARM_TIERS=balanced,saver PREWARM_FORMATS=avif,webp,jpeg',
    'or, in terms of clients: PREWARM_FOR=web:720,1080,android-app:720,1080,save-data',
  ]);
  expect(rest.at(-1)).toContain('is not known here: a CDN answers');
});
