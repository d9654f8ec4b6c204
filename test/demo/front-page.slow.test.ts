import { expect, it } from 'vitest';
import { describePage, openPage } from '../support/browser.ts';
import { startDemo } from '../support/server-process.ts';

async function openFrontPage(width: number) {
  const { url } = await startDemo();
  const page = await openPage();
  await page.setViewportSize({ width, height: 800 });
  const errors: string[] = [];
  page.on('console', (message) => errors.push(message.text()));
  page.on('response', (response) => {
    if (!response.ok()) errors.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(url, { waitUntil: 'load' });
  return { page, errors };
}

describePage('The front page of the demo', () => {
  it('shows each original beside its variants, with their sizes and without errors', async () => {
    const { page, errors } = await openFrontPage(1280);
    const rows = await Promise.all(
      (await page.locator('section').all()).map(async (section) => ({
        captions: (await section.locator('figcaption').allInnerTexts()).map((text) =>
          text.replace(/\s+/g, ' '),
        ),
        widths: await section
          .locator('img')
          .evaluateAll((images) => images.map((image) => Reflect.get(image, 'naturalWidth'))),
      })),
    );
    expect(rows).toHaveLength(3);
    for (const { captions, widths } of rows) {
      expect(captions[0]).toMatch(/^original: [\d.]+ kB$/);
      expect(captions.slice(1)).toEqual(
        ['avif, saver', 'avif, balanced', 'avif, high', 'webp, balanced', 'jpeg, balanced'].map((label) =>
          expect.stringMatching(new RegExp(`^${label}: [\\d.]+ kB, \\d+% of the original$`)),
        ),
      );
      const [original, ...variants] = widths;
      expect(original).toBeGreaterThan(800);
      expect(new Set(variants)).toEqual(new Set([720]));
    }
    expect(errors).toEqual([]);
  });

  it('fits the width of a phone', async () => {
    const { page } = await openFrontPage(360);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  });
});
