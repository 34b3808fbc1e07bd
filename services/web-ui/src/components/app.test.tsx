import { cleanup, render, screen, waitFor, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { analysisAddress } from '../route';
import {
  type Answer,
  analysisOf,
  answerWith,
  apiWith,
  CONFIG,
  json,
  PARTS,
} from '../testing/fake-api';
import { App } from './app';

const FIVE = [5, 4, 3, 2, 1].map((number) => analysisOf(number, `Text number ${number}.`));

const field = () => screen.getByLabelText<HTMLTextAreaElement>('Your text');
const analyse = () => screen.getByRole('button', { name: 'Analyse' });
const history = () => screen.getByRole('region', { name: 'History' });
const excerpts = () =>
  within(history())
    .getAllByRole('link')
    .map((link) => /Text number \d\./.exec(link.textContent)?.[0]);

function open(answer: Answer, address = '/') {
  window.history.replaceState(null, '', address);
  const requests = answerWith(answer);
  render(<App config={CONFIG} />);
  return { requests, user: userEvent.setup() };
}

/** Answers POST with `answer`, and everything else as an empty API. */
function refusing(answer: Answer): Answer {
  const empty = apiWith([]);
  return (request) => (request.method === 'POST' ? answer(request) : empty(request));
}

beforeEach(() => window.sessionStorage.clear());
afterEach(cleanup);

describe('submitting a text', () => {
  it('shows its analysis, announces it, and puts it into the history and the address', async () => {
    const { user } = open(apiWith([]));
    await screen.findByText(/Nothing here yet/);
    await user.type(field(), 'Text number 9.');
    await user.click(analyse());

    await screen.findByRole('region', { name: 'Analysis' });
    const chart = screen.getByRole('img', { name: /^Parts of the score/ });
    expect(chart.getAttribute('aria-label')).toContain('Lexical diversity 0.80');
    await screen.findByText('The analysis is ready. Score 0.80.');
    await waitFor(() => expect(excerpts()).toEqual(['Text number 9.']));
    expect(window.location.pathname).toBe(analysisAddress(analysisOf(1, '').id));
  });

  it('works with the keyboard alone', async () => {
    const { user } = open(apiWith([]));
    await user.type(field(), 'Typed.{Control>}{Enter}{/Control}');
    await screen.findByRole('region', { name: 'Analysis' });
  });

  it('asks for a text where there is none, and sends nothing', async () => {
    const { user, requests } = open(apiWith([]));
    await user.click(analyse());
    expect(screen.getByRole('alert').textContent).toBe('Write or paste a text first.');
    expect(field().getAttribute('aria-invalid')).toBe('true');
    expect(document.activeElement).toBe(field());
    expect(requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it('counts characters, not UTF-16 units, against the limit', async () => {
    const { user } = open(apiWith([]));
    await user.click(field());
    await user.paste('😀'.repeat(CONFIG.maxTextLength));
    expect(screen.queryByText(/too many/)).toBeNull();
    await user.paste('😀');
    screen.getByText('1 character too many');
  });

  it('is sent once, however often the button is pressed', async () => {
    let finish: (response: Response) => void = () => undefined;
    const { user, requests } = open(
      refusing(() => new Promise<Response>((resolve) => (finish = resolve))),
    );
    await user.type(field(), 'Text.');
    await user.dblClick(analyse());
    finish(json(analysisOf(1, 'Text.'), { status: 201 }));
    await screen.findByRole('region', { name: 'Analysis' });
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('shows why a text was not accepted, part by part', async () => {
    const rejection = { score: 0.42, threshold: 0.8, parts: { ...PARTS, repetition: 0.1 } };
    const { user } = open(refusing(() => json(rejection, { status: 422 })));
    await user.type(field(), 'Bad bad bad.');
    await user.click(analyse());
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('It scores 0.42; a text needs 0.80 to be kept.');
    screen.getByRole('img', { name: /Repetition 0\.10/ });
  });

  it('offers another attempt after a failure that may pass', async () => {
    const unavailable = () => json({ detail: 'no database' }, { status: 503 });
    const working = apiWith([]);
    let broken = true;
    const { user } = open((request) =>
      broken && request.method === 'POST' ? unavailable() : working(request),
    );
    await user.type(field(), 'Text number 1.');
    await user.click(analyse());
    await screen.findByText('no database');
    broken = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    await screen.findByRole('region', { name: 'Analysis' });
    expect(screen.queryByText('no database')).toBeNull();
  });
});

describe('the history', () => {
  it('is read page by page, forth and back', async () => {
    const { user } = open(apiWith([...FIVE]));
    await waitFor(() => expect(excerpts()).toEqual(['Text number 5.', 'Text number 4.']));
    await user.click(screen.getByRole('button', { name: 'Older' }));
    await waitFor(() => expect(excerpts()).toEqual(['Text number 3.', 'Text number 2.']));
    await user.click(screen.getByRole('button', { name: 'Older' }));
    await waitFor(() => expect(excerpts()).toEqual(['Text number 1.']));
    expect(screen.getByRole('button', { name: 'Older' }).getAttribute('aria-disabled')).toBe(
      'true',
    );
    await user.click(screen.getByRole('button', { name: 'Newer' }));
    await waitFor(() => expect(excerpts()).toEqual(['Text number 3.', 'Text number 2.']));
    screen.getByText('Page 2');
  });

  it('goes back to its first page when a text was added', async () => {
    const { user } = open(apiWith([...FIVE]));
    await waitFor(() => expect(excerpts()).toHaveLength(2));
    await user.click(screen.getByRole('button', { name: 'Older' }));
    await waitFor(() => expect(excerpts()).toContain('Text number 3.'));
    await user.type(field(), 'Text number 6.');
    await user.click(analyse());
    await waitFor(() => expect(excerpts()).toEqual(['Text number 6.', 'Text number 5.']));
  });

  it('opens an analysis without asking for it again, and marks it', async () => {
    const { user, requests } = open(apiWith([...FIVE]));
    const link = await screen.findByRole('link', { name: /Text number 4/ });
    await user.click(link);
    await screen.findByRole('region', { name: 'Analysis' });
    expect(link.getAttribute('aria-current')).toBe('page');
    expect(requests.some(({ url }) => /\/analyses\/./.test(url))).toBe(false);
  });
});

describe('the address of an analysis', () => {
  it('opens it', async () => {
    open(apiWith([...FIVE]), analysisAddress(analysisOf(2, '').id));
    const region = await screen.findByRole('region', { name: 'Analysis' });
    within(region).getByText('Text number 2.');
  });

  it('that is unknown says so', async () => {
    open(apiWith([]), analysisAddress(analysisOf(2, '').id));
    await screen.findByText('There is no such analysis');
  });
});

describe('the API key', () => {
  it('is asked for where it is missing, sent, kept for the tab, and forgotten on demand', async () => {
    const working = apiWith([...FIVE]);
    const { user } = open((request) =>
      request.headers.get('x-api-key') === 'secret' ? working(request) : json({}, { status: 401 }),
    );
    await user.click(await screen.findByRole('button', { name: 'Enter an API key' }));
    await user.type(screen.getByLabelText('Key'), 'secret');
    await user.click(screen.getByRole('button', { name: 'Use this key' }));
    await waitFor(() => expect(excerpts()).toHaveLength(2));
    expect(window.sessionStorage.getItem('api-key')).toBe('secret');

    await user.click(screen.getByRole('button', { name: 'API key' }));
    await user.click(screen.getByRole('button', { name: 'Forget the key' }));
    await screen.findByText('An API key is needed');
    expect(window.sessionStorage.getItem('api-key')).toBeNull();
  });
});

describe('the health of the service', () => {
  const withHealth =
    (health: () => Response): Answer =>
    (request) =>
      request.url.endsWith('/api/health') ? health() : apiWith([])(request);

  it('is told part by part', async () => {
    const health = { status: 'degraded', parts: { postgresql: 'up', redis: 'down' } };
    open(withHealth(() => json(health)));
    await screen.findByRole('button', { name: 'Health of the service: Degraded' });
    expect(screen.getByText('redis').nextElementSibling?.textContent).toBe('down');
  });

  it('is unreachable when nobody answers', async () => {
    open(withHealth(() => json({}, { status: 503 })));
    await screen.findByRole('button', { name: 'Health of the service: Unreachable' });
  });
});
