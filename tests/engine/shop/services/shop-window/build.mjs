import { mkdirSync, writeFileSync } from 'node:fs';
import { version } from 'react';

mkdirSync('dist');
writeFileSync('dist/index.html', `<!doctype html><title>Made with React ${version}</title>\n`);
