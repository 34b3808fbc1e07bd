import { get } from 'node:http';
import { describe, expect, it } from 'vitest';
import { call, post } from './api';
import { BASE_URL } from './environment';

/** fetch() would undo the encoding, which is what is looked at here. */
function headersOf(path: string, acceptEncoding: string) {
  return new Promise<NodeJS.Dict<string | string[]>>((resolve, reject) => {
    get(`${BASE_URL}${path}`, { headers: { 'accept-encoding': acceptEncoding } }, (answer) => {
      answer.resume();
      resolve(answer.headers);
    }).on('error', reject);
  });
}

async function scriptOfThePage(): Promise<string> {
  const page = await (await call('/')).text();
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1];
  if (script === undefined) throw new Error(`expected a script in ${page}`);
  return script;
}

describe('the page', () => {
  it.each([
    ['gzip, br', 'br'],
    ['gzip', 'gzip'],
    ['identity', undefined],
  ])('for a client with %s comes as %s', async (accepted, encoding) => {
    const headers = await headersOf(await scriptOfThePage(), accepted);
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers.vary).toBe('Accept-Encoding');
  });

  it('is asked for again each time, its files never', async () => {
    expect((await call('/')).headers.get('cache-control')).toBe('no-cache');
    expect((await call('/config.json')).headers.get('cache-control')).toBe('no-cache');
    const script = await call(await scriptOfThePage());
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await call('/assets/gone.js')).headers.get('cache-control')).toBeNull();
  });

  it('may load from its own origin only', async () => {
    const { headers } = await call('/');
    const policy = headers.get('content-security-policy')?.split('; ') ?? [];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.join()).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('answers 404 to what it does not know', async () => {
    expect((await call('/nothing')).status).toBe(404);
  });
});

describe('the proxy', () => {
  it('is alive on its own', async () => {
    const answer = await call('/health/live');
    expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
  });

  it('refuses a body that is too large, as a problem', async () => {
    const answer = await post('a'.repeat(300 * 1024));
    expect(answer.status).toBe(413);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    await expect(answer.json()).resolves.toMatchObject({ status: 413 });
  });

  it('keeps the request id of a client, and replaces one that is not fit for a log', async () => {
    const idOf = async (id: string) => {
      const answer = await call('/api/v1/analyses?limit=1', { headers: { 'x-request-id': id } });
      return answer.headers.get('x-request-id');
    };
    expect(await idOf('from-the-client.1')).toBe('from-the-client.1');
    expect(await idOf('a "quoted" id')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('names each security header of the API once', async () => {
    const { headers } = await call('/api/v1/analyses?limit=1');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; frame-ancestors 'none'",
    );
  });

  it('shows nothing of the services but their API', async () => {
    expect((await call('/metrics')).status).toBe(404);
    expect((await call('/health/ready')).status).toBe(404);
  });
});
