import type { Rejection } from './model';

interface ApiErrorFields {
  title: string;
  detail: string;
  /** HTTP status; 0 when no answer came. */
  status?: number;
  /** Seconds after which the server asks for the next attempt. */
  retryAfter?: number | undefined;
  /** What an operator finds the request by in the logs. */
  requestId?: string | undefined;
  /** The scores of a text that was not accepted. */
  rejection?: Rejection | undefined;
}

/** A request that gave no result, told in words for the person at the page. */
export class ApiError extends Error {
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  readonly retryAfter: number | undefined;
  readonly requestId: string | undefined;
  readonly rejection: Rejection | undefined;

  constructor(fields: ApiErrorFields) {
    super(`${fields.title}: ${fields.detail}`);
    this.name = 'ApiError';
    this.title = fields.title;
    this.detail = fields.detail;
    this.status = fields.status ?? 0;
    this.retryAfter = fields.retryAfter;
    this.requestId = fields.requestId;
    this.rejection = fields.rejection;
  }

  get needsApiKey(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** Whether the same request may succeed later. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
