import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { submit } from './api';
import { browsing, overrideConfig } from './browser';
import { freshTopic, goodText, POOR_TEXT } from './texts';

const browser = browsing();

const ANALYSES = '**/api/v1/analyses';

const field = (page: Page) => page.getByLabel('Your text');
const analyse = (page: Page) => page.getByRole('button', { name: 'Analyse' });
const analysis = (page: Page) => page.getByRole('region', { name: 'Analysis' });
const history = (page: Page) => page.getByRole('region', { name: 'History' });
const entries = (page: Page) => history(page).getByRole('link');

describe('submitting a text', () => {
  it('leads from the page to the database and back', async () => {
    const page = await browser.open();
    const topic = freshTopic();
    await field(page).fill(goodText(topic));
    await analyse(page).click();

    const chart = analysis(page).getByRole('img', { name: /^Parts of the score/ });
    await chart.waitFor();
    const summary = await chart.getAttribute('aria-label');
    expect(summary?.match(/[01]\.\d\d/g)).toHaveLength(4);
    const widths = await chart
      .locator('g rect:last-child')
      .evaluateAll((bars) => bars.map((bar) => Number.parseFloat(bar.getAttribute('width') ?? '')));
    const shares = summary?.match(/[01]\.\d\d/g)?.map((share) => Number(share) * 100) ?? [];
    for (const [row, width] of widths.entries()) expect(width).toBeCloseTo(shares[row] ?? -1, -0.3);

    await entries(page).first().filter({ hasText: topic }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/analyses\/[0-9a-f-]{36}$/);

    await page.reload();
    await analysis(page).getByText('The text', { exact: true }).click();
    await analysis(page).getByText(topic).waitFor();
  });

  it('a second time says that it was analysed before', async () => {
    const page = await browser.open();
    const text = goodText(freshTopic());
    await submit(text);
    await field(page).fill(text);
    await analyse(page).click();
    await analysis(page).getByText('analysed before').waitFor();
  });

  it('that is poor shows in which parts', async () => {
    const page = await browser.open();
    await field(page).fill(POOR_TEXT);
    await analyse(page).click();
    await page.getByRole('alert').getByText('The text was not accepted').waitFor();
    await page.getByRole('img', { name: /Repetition 0\.\d\d/ }).waitFor();
    expect(await entries(page).filter({ hasText: POOR_TEXT }).count()).toBe(0);
  });

  it('needs nothing but the keyboard', async () => {
    const page = await browser.open();
    await field(page).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the text');
    await page.keyboard.press('Enter');
    await page.keyboard.type(goodText(freshTopic()));
    await page.keyboard.press('Control+Enter');
    await analysis(page).waitFor();
    await page.waitForFunction(() =>
      document.activeElement?.contains(document.getElementById('analysis-heading')),
    );
    expect(await page.getByText(/^The analysis is ready\. Score/).getAttribute('role')).toBe(
      'status',
    );
  });
});

describe('the history', () => {
  it('is read page by page, forth and back', async () => {
    const topics = [freshTopic(), freshTopic(), freshTopic()] as const;
    for (const topic of topics) await submit(goodText(topic));
    const [oldest, middle, newest] = topics;
    const page = await browser.open('/', {}, (fresh) => overrideConfig(fresh, { pageSize: 2 }));

    await entries(page).nth(0).filter({ hasText: newest }).waitFor();
    await entries(page).nth(1).filter({ hasText: middle }).waitFor();
    await history(page).getByRole('button', { name: 'Older' }).click();
    await history(page).getByText('Page 2').waitFor();
    await entries(page).first().filter({ hasText: oldest }).waitFor();
    await history(page).getByRole('button', { name: 'Newer' }).click();
    await entries(page).first().filter({ hasText: newest }).waitFor();
  });

  it('leads to an analysis, and the browser leads back', async () => {
    const topic = freshTopic();
    await submit(goodText(topic));
    const page = await browser.open();
    await entries(page).filter({ hasText: topic }).click();
    await analysis(page).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'How a text is scored' }).waitFor();
  });
});

describe('failures', () => {
  it('of the service are told, and another attempt succeeds', async () => {
    const page = await browser.open();
    await page.route(ANALYSES, (route) =>
      route.fulfill({
        status: 503,
        headers: { 'retry-after': '5', 'content-type': 'application/problem+json' },
        body: JSON.stringify({ detail: 'The database is away.' }),
      }),
    );
    await field(page).fill(goodText(freshTopic()));
    await analyse(page).click();
    const alert = page.getByRole('alert');
    await alert.getByText('The database is away.').waitFor();
    await alert.getByText('Please wait 5 seconds.').waitFor();
    await page.unroute(ANALYSES);
    await alert.getByRole('button', { name: 'Try again' }).click();
    await analysis(page).waitFor();
  });

  it('of the network are told', async () => {
    const page = await browser.open();
    await page.route(ANALYSES, (route) => route.abort());
    await field(page).fill(goodText(freshTopic()));
    await analyse(page).click();
    await page.getByText('The server cannot be reached').waitFor();
  });

  it('for want of a key lead to the dialog, and the key is sent', async () => {
    const keys: (string | undefined)[] = [];
    const page = await browser.open('/', {}, async (fresh) => {
      await fresh.route('**/api/v1/**', (route) => {
        const key = route.request().headers()['x-api-key'];
        keys.push(key);
        return key === 'entered'
          ? route.fulfill({ json: { items: [], next: null } })
          : route.fulfill({ status: 401, json: { detail: 'Send a key.' } });
      });
    });
    await page.getByRole('button', { name: 'Enter an API key' }).click();
    await page.getByLabel('Key', { exact: true }).fill('entered');
    await page.getByRole('button', { name: 'Use this key' }).click();
    await history(page).getByText('Nothing here yet').waitFor();
    expect(keys.at(-1)).toBe('entered');
  });

  it('to find an analysis are told', async () => {
    const page = await browser.open('/analyses/00000000-0000-4000-8000-000000000000');
    await page.getByText('There is no such analysis').waitFor();
  });

  it('in the settings name the field', async () => {
    const page = await browser.open('/', {}, (fresh) =>
      overrideConfig(fresh, { pageSize: 'many' }),
    );
    await page.getByText(/config\.json: pageSize: /).waitFor();
  });
});

it('the health of the stack is told part by part', async () => {
  const page = await browser.open();
  await page.getByRole('button', { name: 'Health of the service: Ready' }).click();
  await page.getByRole('term').filter({ hasText: 'postgresql' }).waitFor();
});
