import { inject } from 'vitest';

export const BASE_URL = inject('baseUrl').replace(/\/$/, '');
export const SCREENSHOT_DIR = inject('screenshotDir');
export const CHROMIUM = inject('chromium');

/** Empty where the stack needs no key. */
export const API_KEY = inject('apiKey');
