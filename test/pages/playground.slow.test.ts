import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { faultsOf, watchPage } from '../support/accessible-page.ts';
import { describePage, openPage } from '../support/browser.ts';
import { startOrigin } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { SIGNING_KEYS, startDemo, startServer } from '../support/server-process.ts';

const WIDTH = 320;

/** A service with a photograph that it may fetch, without the login or with it. */
async function startWithPhotograph(env: Record<string, string> = {}) {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const { url } = await startServer({ SOURCE_ALLOW_PRIVATE: origin.authority, ...env });
  const src = `${origin.url}/a.jpg`;
  return { url, src, photo, playground: `${url}/?src=${encodeURIComponent(src)}&w=${WIDTH}` };
}

/** Opens the playground with a photograph, and waits until every variant is made. */
async function openPlayground() {
  const started = await startWithPhotograph();
  const page = await openPage();
  await page.goto(started.playground);
  await allMade(page);
  return { ...started, page };
}

async function allMade(page: Page): Promise<void> {
  await page.getByText('9 of 9 made').waitFor();
}

/** Returns the columns of a row of the table. */
async function row(page: Page, name: RegExp): Promise<string[]> {
  const texts = await page.getByRole('row', { name }).locator('th, td').allInnerTexts();
  return texts.map((text) => text.trim());
}

/** Returns how much of the original is shown, in percent of its width. */
async function shownOriginal(page: Page): Promise<number> {
  return await page.locator('img.original').evaluate((image) => {
    // inset(0 RIGHT 0 0)
    const [, right = ''] = Reflect.get(image, 'style').clipPath.split(' ');
    return Math.round(100 - (100 * Number.parseFloat(right)) / Reflect.get(image, 'clientWidth'));
  });
}

describePage('The playground in a browser', () => {
  it('shows a sample with every variant of it, from this service alone, without errors and faults, on a phone and in the dark', async () => {
    const { url } = await startDemo();
    const page = await openPage();
    const watched = watchPage(page, url);
    await page.goto(url);
    await allMade(page);
    expect(await row(page, /^Original/)).toEqual([
      ...[
        expect.stringMatching(/^Original jpeg, 1024×\d+$/),
        '313 kB',
        '100%',
        '6.3 s',
        '1.6 s',
        '$3.13',
        '',
      ],
    ]);
    expect(await row(page, /^balanced avif/)).toEqual([
      'balanced avif',
      expect.stringMatching(/^\d\d\.\d kB$/),
      expect.stringMatching(/^\d+\.\d%$/),
      expect.stringMatching(/^\d\.\d s$/),
      expect.stringMatching(/^\d\.\d s$/),
      expect.stringMatching(/^\$0\.\d\d$/),
      expect.stringMatching(/^store [\d.]+, fetch [\d.]+, encode [\d.]+$/),
    ]);
    const widths = await page
      .locator('.stage img')
      .evaluateAll((images) => images.map((image) => Reflect.get(image, 'naturalWidth')));
    expect(widths).toEqual([720, 1024]);
    expect(await faultsOf(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(13, 17, 23)');
    expect(await faultsOf(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    expect(await faultsOf(page)).toEqual([]);
    expect(watched).toEqual({ errors: [], foreign: [] });
  });

  it('tries the URL that is typed, at the width and tier that are chosen, and says what is wrong with one that leads nowhere', async () => {
    const { url, src } = await startWithPhotograph();
    const page = await openPage();
    await page.goto(url);
    await page.getByLabel('URL of an image').fill(src);
    await page.getByLabel('Width').selectOption('160 px');
    await page.getByLabel('Tier', { exact: true }).selectOption('high');
    await page.getByRole('button', { name: 'Compress' }).click();
    await allMade(page);
    expect(await page.getByRole('radio', { name: /^high avif/ }).isChecked()).toBe(true);
    expect(await page.locator('#url').innerText()).toMatch(/a\.jpg&w=160&q=high&f=avif$/);
    const variant = page.locator('img.variant');
    expect(await variant.evaluate((image) => Reflect.get(image, 'naturalWidth'))).toBe(160);

    await page.getByLabel('URL of an image').fill('http://127.0.0.1:1/a.jpg');
    await page.getByRole('button', { name: 'Compress' }).click();
    expect(await page.getByRole('alert').innerText()).toMatch(/^This service may not fetch that image/);
    expect(await faultsOf(page)).toEqual([]);
  });

  it('is used with the keyboard: the divider, the zoom, the part that is shown, and the variant', async () => {
    const { page } = await openPlayground();
    const width = () => page.locator('.stage').evaluate((stage) => Reflect.get(stage, 'clientWidth'));
    expect([await width(), await shownOriginal(page)]).toEqual([WIDTH, 50]);
    await page.getByRole('slider').focus();
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
    expect(await shownOriginal(page)).toBe(60);
    await page.keyboard.press('Home');
    expect(await shownOriginal(page)).toBe(0);

    const viewport = page.getByRole('region', { name: /^The image/ });
    await viewport.focus();
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    expect(await width()).toBe(4 * WIDTH);
    expect(await page.getByRole('radio', { name: '4×' }).isChecked()).toBe(true);
    const left = () => viewport.evaluate((element) => Reflect.get(element, 'scrollLeft'));
    const before = await left();
    // Around the middle, as before.
    expect(before).toBe(
      (4 * WIDTH - (await viewport.evaluate((element) => Reflect.get(element, 'clientWidth')))) / 2,
    );
    await page.keyboard.press('ArrowRight');
    await expect.poll(left).toBeGreaterThan(before);

    await page.getByRole('radio', { name: /^balanced avif/ }).focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('img.variant').getAttribute('src')).toMatch(/q=balanced&f=webp$/);
    expect(await page.locator('#url').innerText()).toMatch(/q=balanced&f=webp$/);
  });

  it('copies the code that is chosen, and reckons with the price that is typed', async () => {
    const { page, photo } = await openPlayground();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('radio', { name: 'curl' }).check();
    await page.getByRole('button', { name: 'Copy the code for curl' }).click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate('navigator.clipboard.readText()');
    expect(copied).toMatch(/^curl -sD - -o photo\.avif 'http:.*f=avif'$/);
    const [, url = ''] = /'(.*)'/.exec(String(copied)) ?? [];
    expect((await fetch(url)).headers.get('content-type')).toBe('image/avif');

    await page.getByLabel('Price of mobile data').fill('0.1');
    const dollars = (1000 * photo.byteLength * 0.1) / 1e6;
    expect((await row(page, /^Original/))[5]).toBe(`$${dollars.toFixed(2)}`);
  });

  it('is behind the login of a service that signs its URLs', async () => {
    const ADMIN_TOKEN = 'a-token-of-operators';
    const { url, playground } = await startWithPhotograph({ SIGNING_KEYS, ADMIN_TOKEN });
    const page = await openPage();
    await page.goto(playground);
    expect(await faultsOf(page)).toEqual([]);
    await page.getByLabel('Admin token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('That is not the admin token').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    const watched = watchPage(page, url);
    await page.getByLabel('Admin token').fill(ADMIN_TOKEN);
    await page.keyboard.press('Enter');
    await allMade(page);
    expect(await page.locator('#url').innerText()).toMatch(/&w=320&q=balanced&f=avif&sig=k\./);
    expect(watched).toEqual({ errors: [], foreign: [] });
    await page.goto(url);
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.goto(url);
    await page.getByLabel('Admin token').waitFor();
  });
});
