import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { faultsOf, type Watched, watchPage } from '../support/accessible-page.ts';
import { describePage, openPage } from '../support/browser.ts';
import { TOKEN, unitLine } from '../support/http/operator.ts';
import { startHeldOrigin, until } from '../support/http/service.ts';
import { killIfThere, startWorkers, WORKERS } from '../support/workers.ts';

/** Without pictures. */
const MAX_PAGE_BYTES = 60_000;

/** Starts a service with several workers, and opens its pages as someone who logs in. The origin answers when the test says so. */
async function openUnits() {
  const held = await startHeldOrigin();
  const server = await startWorkers(held.origin.authority);
  const page = await openPage();
  await page.goto(`${server.url}/units`);
  const watched = watchPage(page, server.url);
  await logIn(page);
  const src = `${held.origin.url}/a.jpg`;
  return { ...held, ...server, page, watched, src };
}

async function logIn(page: Page): Promise<void> {
  await page.getByLabel('Admin token').fill(TOKEN);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Units', exact: true }).waitFor();
}

/** Answers what is asked for now and later, until the page says that its units are done. */
async function answerUntilDone(page: Page, answerAll: () => void): Promise<void> {
  const timer = setInterval(answerAll, 20);
  await page.getByText('The units shown here are done.').waitFor();
  clearInterval(timer);
}

/** Looks at a page in light and dark, and as wide as a phone. */
async function expectFine(page: Page, watched: Watched): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await faultsOf(page)).toEqual([]);
  }
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  // One line.
  expect(await page.locator('header').evaluate((header) => Reflect.get(header, 'clientHeight'))).toBeLessThan(
    64,
  );
  expect(await faultsOf(page)).toEqual([]);
  if (size) await page.setViewportSize(size);
  expect(Buffer.byteLength(await page.content())).toBeLessThan(MAX_PAGE_BYTES);
  expect(watched).toEqual({ errors: [], foreign: [] });
}

describePage('The pages of units in a browser', () => {
  it('take pasted units, show live how they become ready or broken, and purge one once that is confirmed', async () => {
    const { page, watched, src, answerAll, held, statusOf } = await openUnits();
    await expectFine(page, watched);
    const lines = `${unitLine('scan-1', src, 'ftp://x/no')}${unitLine('scan-2', `${src}?2`)}not a unit\n`;
    await page.getByLabel('Paste units').fill(lines);
    await page.getByRole('button', { name: 'Send, and watch' }).click();
    await page.getByText('Live: this page changes by itself.').waitFor();
    expect(await page.getByRole('listitem').filter({ hasText: 'Line 3' }).innerText()).toContain(
      'it is not a JSON object',
    );
    expect(await page.getByRole('status').innerText()).toMatch(/^0 of 2 units done\. 0 of 3 images ready/);
    await until(() => held.length === 2);
    await answerUntilDone(page, answerAll);
    expect(await page.getByRole('status').innerText()).toMatch(
      /^2 of 2 units done\. 2 of 3 images ready, 1 broken\. \d+ kB before, [\d.]+ kB at most now: [\d.]+% less\.$/,
    );
    expect(await page.locator('#watched-scan-1').innerText()).toContain(
      'This is not a URL that can be fetched',
    );
    await expectFine(page, watched);

    await page.reload();
    expect(await page.getByRole('status').innerText()).toContain('2 of 2 units done');
    await page.getByRole('link', { name: 'scan-1' }).click();
    await page.getByRole('heading', { name: 'Unit scan-1' }).waitFor();
    const thumbnail = page.getByRole('img', { name: 'a.jpg' });
    expect(await thumbnail.evaluate((image) => Reflect.get(image, 'naturalWidth'))).toBe(160);
    await expectFine(page, watched);

    await page.getByRole('link', { name: 'Purge …' }).click();
    expect(await page.getByRole('listitem').innerText()).toMatch(
      /^\d+ objects, [\d.]+ kB: all variants of 2 images/,
    );
    await expectFine(page, watched);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('heading', { name: 'Unit scan-1 is purged' }).waitFor();
    expect(await page.locator('main').innerText()).toMatch(
      /Deleted from the store: \d+ objects.+No CDN is configured/s,
    );
    await expectFine(page, watched);
    expect(await statusOf('scan-1')).toMatchObject({ code: 'not_found' });
    expect(await statusOf('scan-2')).toMatchObject({ totals: { ready: 1 } });
  });

  it('go on by themselves when the process ends that sends the changes', async () => {
    const { page, src, answerAll, held, workerPids } = await openUnits();
    await page.getByLabel('Paste units').fill(unitLine('scan-1', src));
    await page.getByRole('button', { name: 'Send, and watch' }).click();
    await page.getByText('Live: this page changes by itself.').waitFor();
    await until(() => held.length === 1);
    const pids = workerPids();
    for (const pid of pids) killIfThere(pid);
    await page.getByText(/^Not live just now/).waitFor();
    await until(() => workerPids().filter((pid) => !pids.includes(pid)).length === WORKERS);
    await page.getByText('Live: this page changes by itself.').waitFor();
    await answerUntilDone(page, answerAll);
    expect(await page.getByRole('status').innerText()).toContain('1 of 1 unit done. 1 image ready');
  });

  it('take a file that is dropped on the form, and are used with the keyboard', async () => {
    const { page, src, answerAll } = await openUnits();
    await page.evaluate(
      `(() => {
        const files = new DataTransfer();
        files.items.add(new File([${JSON.stringify(`id,image_url\nscan-1,${src}\n`)}], 'units.csv', { type: 'text/csv' }));
        document.querySelector('form[data-drop]').dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }));
      })()`,
    );
    // The focus is on the field of the file.
    await page.getByRole('button', { name: 'Send, and watch' }).press('Enter');
    await answerUntilDone(page, answerAll);
    await page.getByRole('link', { name: 'image_url' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'image_url' });
    await dialog.waitFor();
    await expect
      .poll(() => dialog.getByRole('img').evaluate((image) => Reflect.get(image, 'naturalWidth')))
      .toBe(160);
    expect(await faultsOf(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.dataset.zoom')).toBe('image_url');
  });

  it('work without a script', async () => {
    const { page, url, src, answerAll, statusOf } = await openUnits();
    const context = await page.context().browser()?.newContext({ javaScriptEnabled: false });
    const plain = await context?.newPage();
    if (!plain) throw new Error('no browser');
    await plain.goto(`${url}/units`);
    await logIn(plain);
    await plain.getByLabel('Paste units').fill(unitLine('scan-1', src));
    await plain.getByRole('button', { name: 'Send, and watch' }).click();
    await plain.getByRole('link', { name: 'Look again' }).waitFor();
    const timer = setInterval(answerAll, 20);
    await until(async () => (await statusOf('scan-1')).totals.pending === 0);
    clearInterval(timer);
    await plain.getByRole('link', { name: 'Look again' }).click();
    expect(await plain.getByRole('status').innerText()).toContain('1 image ready');
  });
});
