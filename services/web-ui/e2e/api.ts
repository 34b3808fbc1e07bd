import { API_KEY, BASE_URL } from './environment';

/** A request past the page, with the key of this run. */
export function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (API_KEY !== '') headers.set('x-api-key', API_KEY);
  return fetch(`${BASE_URL}${path}`, { ...init, headers });
}

export function post(text: string): Promise<Response> {
  return call('/api/v1/analyses', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
  });
}

/** Puts a text into the history. */
export async function submit(text: string): Promise<void> {
  const response = await post(text);
  if (!response.ok) {
    throw new Error(
      `expected the text to be accepted: ${response.status} ${await response.text()}`,
    );
  }
}
