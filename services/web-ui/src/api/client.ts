import * as v from 'valibot';
import type { Config } from '../config';
import { ApiError } from './error';
import {
  type Analysis,
  AnalysisSchema,
  type Health,
  HealthSchema,
  type HistoryPage,
  HistoryPageSchema,
  ProblemSchema,
  RejectionSchema,
} from './model';

const TIMEOUT_MS = 15_000;

const TITLES: Readonly<Record<number, string>> = {
  400: 'The text was not understood',
  401: 'An API key is needed',
  403: 'This API key may not do that',
  404: 'There is no such analysis',
  413: 'The text is too long',
  422: 'The text was not accepted',
  429: 'Too many requests',
  503: 'The service is not available',
  504: 'The analysis took too long',
};

export interface Api {
  submit(text: string): Promise<Analysis>;
  analysis(id: string, signal: AbortSignal): Promise<Analysis>;
  history(before: string | null, signal: AbortSignal): Promise<HistoryPage>;
  health(signal: AbortSignal): Promise<Health>;
}

/** The public API of the stack. Every failure is an ApiError, but for an aborted `signal`. */
export function createApi(config: Config, apiKey: string): Api {
  const analyses = `${config.apiPath}/analyses`;

  async function request<Schema extends v.GenericSchema>(
    schema: Schema,
    address: string,
    init: RequestInit = {},
  ): Promise<v.InferOutput<Schema>> {
    const headers = new Headers(init.headers);
    headers.set('accept', 'application/json');
    if (apiKey !== '') headers.set('x-api-key', apiKey);
    const response = await send(address, { ...init, headers });
    if (!response.ok) throw await refusal(response);
    return content(schema, response);
  }

  return {
    submit: (text) =>
      request(AnalysisSchema, analyses, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
      }),
    analysis: (id, signal) =>
      request(AnalysisSchema, `${analyses}/${encodeURIComponent(id)}`, { signal }),
    history: (before, signal) => {
      const query = new URLSearchParams({ limit: String(config.pageSize) });
      if (before !== null) query.set('before', before);
      return request(HistoryPageSchema, `${analyses}?${query}`, { signal });
    },
    health: async (signal) => {
      const response = await send(config.healthPath, { signal });
      // A stack that is not ready says so with status 503 and the same content.
      const health = v.safeParse(HealthSchema, await json(response.clone()));
      if (health.success) return health.output;
      throw response.ok ? misunderstood(response, health.issues[0]) : await refusal(response);
    },
  };
}

async function send(address: string, init: RequestInit): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  try {
    return await fetch(address, { ...init, signal });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw timeout.aborted
      ? new ApiError({
          title: 'No answer',
          detail: `The server did not answer within ${TIMEOUT_MS / 1000} seconds.`,
        })
      : new ApiError({
          title: 'The server cannot be reached',
          detail: 'Check the network connection, then try again.',
        });
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const body = await json(response);
  const problem = v.safeParse(ProblemSchema, body);
  const rejection = v.safeParse(RejectionSchema, body);
  const { title, detail } = problem.success ? problem.output : {};
  return new ApiError({
    title: TITLES[response.status] ?? title ?? 'The request failed',
    detail: detail ?? `The server answered with status ${response.status}.`,
    status: response.status,
    retryAfter: retryAfter(response),
    requestId: requestId(response),
    rejection: rejection.success ? rejection.output : undefined,
  });
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  return Number.isNaN(seconds) ? undefined : seconds;
}

async function content<Schema extends v.GenericSchema>(
  schema: Schema,
  response: Response,
): Promise<v.InferOutput<Schema>> {
  const result = v.safeParse(schema, await json(response));
  if (result.success) return result.output;
  throw misunderstood(response, result.issues[0]);
}

function misunderstood(response: Response, issue: v.BaseIssue<unknown>): ApiError {
  return new ApiError({
    title: 'The answer was not understood',
    detail: `${v.getDotPath(issue) ?? 'The whole answer'}: ${issue.message}`,
    status: response.status,
    requestId: requestId(response),
  });
}

async function json(response: Response): Promise<unknown> {
  return response.json().catch(() => undefined);
}

function requestId(response: Response): string | undefined {
  return response.headers.get('x-request-id') ?? undefined;
}
