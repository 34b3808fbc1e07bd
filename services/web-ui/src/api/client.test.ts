import { describe, expect, it } from 'vitest';
import { analysisOf, answerWith, CONFIG, json, PARTS } from '../testing/fake-api';
import { createApi } from './client';
import { ApiError } from './error';

const ANALYSIS = analysisOf(1, 'A text.');
const NEVER = new AbortController().signal;

async function errorOf(request: Promise<unknown>): Promise<ApiError> {
  const error = await request.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ApiError) return error;
  throw new Error(`expected an ApiError, got ${String(error)}`);
}

describe('requests', () => {
  it('send a text with the API key', async () => {
    const requests = answerWith(() => json(ANALYSIS, { status: 201 }));
    await expect(createApi(CONFIG, 'secret').submit('A text.')).resolves.toEqual(ANALYSIS);
    const [request] = requests;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe('http://page.test/api/v1/analyses');
    expect(request?.headers.get('x-api-key')).toBe('secret');
    expect(request?.headers.get('content-type')).toBe('application/json');
    await expect(request?.json()).resolves.toEqual({ text: 'A text.' });
  });

  it('send no key where there is none', async () => {
    const requests = answerWith(() => json({ items: [], next: null }));
    await createApi(CONFIG, '').history(null, NEVER);
    expect(requests[0]?.headers.has('x-api-key')).toBe(false);
  });

  it('ask for the page of the history after the cursor', async () => {
    const requests = answerWith(() => json({ items: [ANALYSIS], next: ANALYSIS.id }));
    const api = createApi(CONFIG, '');
    await api.history(null, NEVER);
    await api.history('cursor&', NEVER);
    expect(requests.map(({ url }) => new URL(url).search)).toEqual([
      '?limit=2',
      '?limit=2&before=cursor%26',
    ]);
  });
});

describe('failures', () => {
  it('of the service say when to try again and by what to find the request', async () => {
    answerWith(() =>
      json(
        { title: 'Service Unavailable', detail: 'the database is not available' },
        { status: 503, headers: { 'retry-after': '5', 'x-request-id': 'r-1' } },
      ),
    );
    const error = await errorOf(createApi(CONFIG, '').submit('x'));
    expect(error).toMatchObject({
      title: 'The service is not available',
      detail: 'the database is not available',
      status: 503,
      retryAfter: 5,
      requestId: 'r-1',
      isTemporary: true,
    });
  });

  it('for a low score bring the parts of the score', async () => {
    const rejection = { score: 0.4, threshold: 0.8, parts: PARTS };
    answerWith(() => json({ title: 'Unprocessable Content', ...rejection }, { status: 422 }));
    const error = await errorOf(createApi(CONFIG, '').submit('x'));
    expect(error.rejection).toEqual(rejection);
    expect(error.isTemporary).toBe(false);
  });

  it('for a missing key ask for one', async () => {
    answerWith(() => json({}, { status: 401 }));
    const error = await errorOf(createApi(CONFIG, '').history(null, NEVER));
    expect(error.needsApiKey).toBe(true);
  });

  it('that are not JSON are told all the same', async () => {
    answerWith(() => new Response('<html>', { status: 500 }));
    const error = await errorOf(createApi(CONFIG, '').submit('x'));
    expect(error).toMatchObject({
      title: 'The request failed',
      detail: 'The server answered with status 500.',
    });
  });

  it('of the network are told', async () => {
    answerWith(() => {
      throw new TypeError('Failed to fetch');
    });
    const error = await errorOf(createApi(CONFIG, '').submit('x'));
    expect(error).toMatchObject({ title: 'The server cannot be reached', isTemporary: true });
  });

  it('to keep to the contract name the field', async () => {
    answerWith(() => json({ ...ANALYSIS, parts: { ...PARTS, coherence: 1.5 } }));
    const error = await errorOf(createApi(CONFIG, '').analysis(ANALYSIS.id, NEVER));
    expect(error.title).toBe('The answer was not understood');
    expect(error.detail).toContain('parts.coherence: ');
  });

  it('by an abort stay an abort', async () => {
    const abort = new AbortController();
    answerWith(({ signal }) => {
      abort.abort();
      signal.throwIfAborted();
      return json({});
    });
    const request = createApi(CONFIG, '').history(null, abort.signal);
    await expect(request).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('health', () => {
  it('is read from a stack that is not ready, too', async () => {
    const health = { status: 'unavailable', parts: { postgresql: 'down', redis: 'up' } };
    answerWith(() => json(health, { status: 503 }));
    await expect(createApi(CONFIG, '').health(NEVER)).resolves.toEqual(health);
  });

  it('of a gateway that is away is a failure', async () => {
    answerWith(() => json({ title: 'Service Unavailable', detail: 'away' }, { status: 503 }));
    const error = await errorOf(createApi(CONFIG, '').health(NEVER));
    expect(error.detail).toBe('away');
  });
});
