import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { precompressFolder } from './precompress.ts';

const TEXT = 'the same words again and again, '.repeat(100);

describe('precompressFolder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'precompress-'));
    await mkdir(join(folder, 'assets'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('puts twins with the same content beside the text files of all folders', async () => {
    await writeFile(join(folder, 'assets/page.js'), TEXT);
    await precompressFolder(folder, []);
    const twin = (extension: string) => readFile(join(folder, `assets/page.js.${extension}`));
    expect(gunzipSync(await twin('gz')).toString()).toBe(TEXT);
    expect(brotliDecompressSync(await twin('br')).toString()).toBe(TEXT);
  });

  it('leaves alone what is excepted, small, or compressed by its format', async () => {
    await writeFile(join(folder, 'config.json'), TEXT);
    await writeFile(join(folder, 'small.css'), 'a {}');
    await writeFile(join(folder, 'font.woff2'), TEXT);
    await precompressFolder(folder, ['config.json']);
    expect((await readdir(folder)).sort()).toEqual([
      'assets',
      'config.json',
      'font.woff2',
      'small.css',
    ]);
  });
});
