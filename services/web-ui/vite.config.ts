import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { precompress } from './build/precompress.ts';

export default defineConfig({
  plugins: [react(), precompress({ except: ['config.json'] })],
  build: {
    assetsInlineLimit: 0, // data: addresses would need a laxer Content-Security-Policy
    modulePreload: { polyfill: false },
  },
  server: {
    port: 8083,
    proxy: { '/api': 'http://localhost:8080' },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}', 'build/**/*.test.ts'],
    restoreMocks: true,
    unstubGlobals: true,
  },
});
