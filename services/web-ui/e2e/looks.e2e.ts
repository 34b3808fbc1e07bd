import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { submit } from './api';
import { browsing, screenshot, seriousFindings } from './browser';
import { freshTopic, goodText, POOR_TEXT } from './texts';

const browser = browsing();

const WIDTHS = {
  desktop: { viewport: { width: 1280, height: 860 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
};

/** Each view of the page, made from the start page. */
const VIEWS: Record<string, (page: Page) => Promise<void>> = {
  start: async (page) => {
    await page.getByRole('listitem').first().waitFor();
  },
  analysis: async (page) => {
    await page.getByRole('button', { name: 'Use an example' }).click();
    await page.getByRole('button', { name: 'Analyse' }).click();
    await page.getByText('What the parts mean').click();
    await page.getByText('The text', { exact: true }).click();
  },
  rejected: async (page) => {
    await page.getByLabel('Your text').fill(POOR_TEXT);
    await page.getByRole('button', { name: 'Analyse' }).click();
    await page.getByText('The text was not accepted').waitFor();
  },
  failed: async (page) => {
    await page.route('**/api/**', (route) => route.abort());
    await page.reload();
    await page.getByText('The server cannot be reached').waitFor();
    await page.getByText('Unreachable').waitFor();
  },
  health: async (page) => {
    await page.getByRole('button', { name: /^Health of the service: Ready/ }).click();
    await page.getByText('Everything works.').waitFor();
  },
  key: async (page) => {
    await page.getByRole('button', { name: 'API key' }).click();
    await page.getByRole('dialog').waitFor();
  },
};

beforeAll(async () => {
  for (let entry = 0; entry < 9; entry += 1) await submit(goodText(freshTopic()));
});

describe.each(Object.entries(WIDTHS))('on a %s', (width, options) => {
  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it.each(Object.entries(VIEWS))('%s is fit for everybody', async (view, show) => {
      const page = await browser.open('/', { ...options, colorScheme });
      await show(page);
      await screenshot(page, `${width}-${colorScheme}-${view}`);
      expect(await seriousFindings(page)).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBe(0);
    });
  });
});
