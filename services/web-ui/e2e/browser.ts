import { join } from 'node:path';
import axe from 'axe-core';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { API_KEY, BASE_URL, CHROMIUM, SCREENSHOT_DIR } from './environment';

const ARGUMENTS = [
  '--no-sandbox', // in a container Chromium has no rights to build its own
  `--unsafely-treat-insecure-origin-as-secure=${BASE_URL}`, // as it is behind TLS
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What Chromium logs for an answer of 400 or more; those are the business of the tests. */
const ANSWERED_WITH_ERROR = 'Failed to load resource';

interface Browsing {
  /** A page in a browser context of its own; it is closed after the test. */
  open: (address?: string, options?: BrowserContextOptions, prepare?: Prepare) => Promise<Page>;
}

type Prepare = (page: Page) => Promise<void>;

/** Starts Chromium for a file of tests. After each test: no page may have logged an error. */
export function browsing(): Browsing {
  let browser: Awaited<ReturnType<typeof chromium.launch>>;
  let pages: Page[] = [];
  let complaints: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    const heard = complaints;
    await Promise.all(pages.map((page) => page.context().close()));
    pages = [];
    complaints = [];
    expect(heard).toEqual([]);
  });

  return {
    async open(address = '/', options = {}, prepare = async () => undefined) {
      const context = await browser.newContext({ baseURL: BASE_URL, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      pages.push(page);
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() !== 'error' || message.text().startsWith(ANSWERED_WITH_ERROR)) return;
        complaints.push(message.text());
      });
      if (API_KEY !== '') await overrideConfig(page, { apiKey: API_KEY });
      await prepare(page);
      await page.goto(address);
      return page;
    },
  };
}

/** What an environment does when it mounts its own file over /config.json. */
export async function overrideConfig(page: Page, changes: object): Promise<void> {
  await page.route('/config.json', async (route) => {
    const answer = await fetch(`${BASE_URL}/config.json`);
    const config = { ...((await answer.json()) as object), apiKey: API_KEY, ...changes };
    await route.fulfill({ json: config });
  });
}

/** The whole page, as `NAME.png` in SCREENSHOT_DIR. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(SCREENSHOT_DIR, `${name}.png`), fullPage: true });
}

/** What axe finds serious or worse, a line for each element; empty when all is well. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => window.axe.run());
  expect(passes.length).toBeGreaterThan(0);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

declare global {
  interface Window {
    axe: typeof axe;
  }
}
