import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ANALYSIS_PATTERN, analysisAddress, analysisIdOf } from './route';

const ID = '00000000-0000-4000-8000-000000000001';

describe('addresses', () => {
  it('name an analysis both ways', () => {
    expect(analysisIdOf(analysisAddress(ID))).toBe(ID);
  });

  it.each(['/', '/analyses/', '/analyses/1', `/analyses/${ID}/more`])(
    '%s names none',
    (address) => {
      expect(analysisIdOf(address)).toBeNull();
    },
  );

  it('are served by nginx', () => {
    const pattern = ANALYSIS_PATTERN.source.replaceAll('\\/', '/').replace(/[()]/g, '');
    expect(readFileSync('nginx.conf', 'utf8')).toContain(`location ~ "${pattern}"`);
  });
});
