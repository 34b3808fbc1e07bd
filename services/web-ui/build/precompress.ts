import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const COMPRESSIBLE = /\.(?:css|html|js|json|svg|txt)$/;
const MINIMUM_BYTES = 512;

/**
 * Writes NAME.gz and NAME.br beside each text file of a folder, where that saves anything.
 *
 * `except` holds paths relative to the folder. A file that is replaced at run time belongs there:
 * nginx would go on serving the old content from its compressed twin.
 */
export async function precompressFolder(folder: string, except: readonly string[]): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && COMPRESSIBLE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !except.includes(relative(folder, file)));
  await Promise.all(files.map(precompressFile));
}

async function precompressFile(file: string): Promise<void> {
  const content = await readFile(file);
  if (content.length < MINIMUM_BYTES) return;
  const twins = {
    gz: gzipSync(content, { level: constants.Z_BEST_COMPRESSION }),
    br: brotliCompressSync(content, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
    }),
  };
  for (const [extension, compressed] of Object.entries(twins)) {
    if (compressed.length < content.length) await writeFile(`${file}.${extension}`, compressed);
  }
}

/** The build step: compresses what Vite has written, once, so that nginx never has to. */
export function precompress(options: { except: readonly string[] }): Plugin {
  let folder = '';
  return {
    name: 'precompress',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      await precompressFolder(folder, options.except);
    },
  };
}
