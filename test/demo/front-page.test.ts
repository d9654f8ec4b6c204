import { chromium } from 'playwright-core';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { temporaryFolder } from '../http/service.ts';
import { runProgram } from '../setup/program.ts';
import { needing } from '../setup/needing.ts';

const browser = inject('chromium');

/** The flags keep it from looking for its maker's hosts. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

async function openFrontPage() {
  const program = runProgram('src/entry/server.ts', [], { PORT: '0', STORE: `file:${await temporaryFolder()}` });
  const [, url = ''] = await program.printed(/"url":"([^"]+)".*"listening"/);
  const opened = await chromium.launch({ executablePath: 'path' in browser ? browser.path : '', args: FLAGS });
  onTestFinished(() => opened.close());
  const page = await opened.newPage({ viewport: { width: 1280, height: 900 } });
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('requestfailed', (request) => complaints.push(request.url()));
  await page.goto(url, { waitUntil: 'networkidle' });
  return { page, complaints };
}

describe('the front page of the demonstration', () => {
  needing(browser)('shows each original beside its variants, and what each weighs', async () => {
    const { page, complaints } = await openFrontPage();
    expect(complaints).toEqual([]);
    const rows = await page.locator('section').evaluateAll((sections) =>
      sections.map((section) =>
        [...section.querySelectorAll('figure')].map((figure) => ({
          pixels: figure.querySelector('img')?.naturalWidth,
          text: figure.textContent?.replace(/\s+/g, ' ').trim(),
        })),
      ),
    );
    expect(rows).toHaveLength(3);
    for (const [original, ...variants] of rows) {
      expect(original?.pixels).toBeGreaterThan(800);
      expect(original?.text).toMatch(/^original: [\d.]+ kB$/);
      expect(variants).toHaveLength(5);
      for (const { pixels, text } of variants) {
        expect(pixels).toBeGreaterThanOrEqual(567);
        expect(pixels).toBeLessThanOrEqual(720);
        expect(text).toMatch(/^(avif|webp|jpeg), \w+: [\d.]+ kB, \d+% of the original$/);
      }
    }
  });

  needing(browser)('fits a phone', async () => {
    const { page } = await openFrontPage();
    await page.setViewportSize({ width: 360, height: 640 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});
