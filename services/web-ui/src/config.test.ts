import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONFIG_ADDRESS, loadConfig, parseConfig } from './config';
import { answerWith, CONFIG, json } from './testing/fake-api';

describe('the settings', () => {
  it('in the image are complete and keep to the origin of the page', () => {
    const config = parseConfig(readFileSync('public/config.json', 'utf8'));
    expect(config).toMatchObject({ apiPath: '/api/v1', healthPath: '/api/health', apiKey: '' });
  });

  it('are refused with every mistake, each with its field', () => {
    const text = JSON.stringify({ ...CONFIG, apiPath: 'https://elsewhere', pageSize: 0, color: 1 });
    expect(() => parseConfig(text)).toThrow(
      /config\.json: apiPath: .*\n.*config\.json: pageSize: .*\n.*config\.json: color: /,
    );
  });

  it('that are no JSON are refused', () => {
    expect(() => parseConfig('{')).toThrow('/config.json: expected JSON');
  });

  it('are read at start', async () => {
    const requests = answerWith(() => json(CONFIG));
    await expect(loadConfig()).resolves.toEqual(CONFIG);
    expect(requests.map(({ url }) => new URL(url).pathname)).toEqual([CONFIG_ADDRESS]);
  });

  it('that are missing are told with the status', async () => {
    answerWith(() => new Response('', { status: 404 }));
    await expect(loadConfig()).rejects.toThrow('the server answered 404');
  });
});
