import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    dir: 'e2e',
    include: ['**/*.e2e.ts'],
    fileParallelism: false, // the files share the one history of the stack
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
    // Read here: in the tests BASE_URL is a name of Vite's own.
    provide: {
      baseUrl: required('BASE_URL', 'the address of a running stack, as http://localhost:8080'),
      screenshotDir: required('SCREENSHOT_DIR', 'a folder for the screenshots'),
      apiKey: process.env.API_KEY ?? '',
      chromium: process.env.CHROMIUM ?? '/usr/bin/chromium',
    },
  },
});

function required(name: string, meaning: string): string {
  const value = process.env[name] ?? '';
  if (value === '') throw new Error(`environment variable ${name}: expected ${meaning}`);
  return value;
}

declare module 'vitest' {
  interface ProvidedContext {
    baseUrl: string;
    screenshotDir: string;
    apiKey: string;
    chromium: string;
  }
}
