import { vi } from 'vitest';
import type { Analysis } from '../api/model';

export const CONFIG = {
  apiPath: '/api/v1',
  healthPath: '/api/health',
  apiKey: '',
  environment: '',
  pageSize: 2,
  maxTextLength: 100,
};

export const PARTS = { readability: 0.9, lexical_diversity: 0.8, repetition: 1, coherence: 0.5 };

/** An analysis whose id ends in `number`, made `number` minutes after the hour. */
export function analysisOf(number: number, text: string): Analysis {
  const two = String(number).padStart(2, '0');
  return {
    id: `00000000-0000-4000-8000-0000000000${two}`,
    text,
    score: 0.8,
    parts: PARTS,
    words: 3,
    sentences: 1,
    cached: false,
    created_at: `2026-11-23T10:${two}:00Z`,
  };
}

export function json(value: unknown, init: ResponseInit = {}): Response {
  const headers = { 'content-type': 'application/json', ...init.headers };
  return new Response(JSON.stringify(value), { ...init, headers });
}

export type Answer = (request: Request) => Response | Promise<Response>;

/** Stands in for the network: answers every request of the page, and keeps them to look at. */
export function answerWith(answer: Answer): Request[] {
  const requests: Request[] = [];
  vi.stubGlobal('fetch', async (address: string, init?: RequestInit) => {
    const request = new Request(new URL(address, 'http://page.test'), init);
    requests.push(request.clone());
    return answer(request);
  });
  return requests;
}

/** The API with its analyses, newest first, in memory. */
export function apiWith(analyses: Analysis[]): Answer {
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/api/health') return json({ status: 'ready', parts: { postgresql: 'up' } });
    if (request.method === 'POST') {
      const { text } = (await request.json()) as { text: string };
      const analysis = analysisOf(analyses.length + 1, text);
      analyses.unshift(analysis);
      return json(analysis, { status: 201 });
    }
    const id = /\/analyses\/(.+)$/.exec(pathname)?.[1];
    if (id !== undefined) {
      const found = analyses.find((analysis) => analysis.id === id);
      return found === undefined ? json({ detail: 'unknown id' }, { status: 404 }) : json(found);
    }
    const limit = Number(searchParams.get('limit'));
    const start = analyses.findIndex((analysis) => analysis.id === searchParams.get('before')) + 1;
    const items = analyses.slice(start, start + limit);
    const more = start + limit < analyses.length;
    return json({ items, next: more ? items.at(-1)?.id : null });
  };
}
