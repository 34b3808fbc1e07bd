import * as v from 'valibot';

const AbsolutePath = v.pipe(
  v.string(),
  v.regex(/^(?:\/[\w.~-]+)+$/, 'expected a path such as /api/v1, without a slash at its end'),
);

const ConfigSchema = v.strictObject({
  /** Where the API answers, on this page's own origin. */
  apiPath: AbsolutePath,
  /** Where the health of the stack is told, on this page's own origin. */
  healthPath: AbsolutePath,
  /** Sent as x-api-key. Everybody who can open the page can read it; empty: the user enters one. */
  apiKey: v.string(),
  /** Shown beside the title, such as "staging"; empty: nothing is shown. */
  environment: v.string(),
  /** Analyses on one page of the history. */
  pageSize: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
  /** Characters that a text may have. */
  maxTextLength: v.pipe(v.number(), v.integer(), v.minValue(1)),
});

export type Config = v.InferOutput<typeof ConfigSchema>;

export const CONFIG_ADDRESS = '/config.json';

/** Reads the settings of this environment; all mistakes of the file come in one error. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch(CONFIG_ADDRESS, { cache: 'no-cache' });
  if (!response.ok) {
    throw new Error(
      `${CONFIG_ADDRESS}: expected the settings, the server answered ${response.status}`,
    );
  }
  return parseConfig(await response.text());
}

export function parseConfig(text: string): Config {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error(`${CONFIG_ADDRESS}: expected JSON`);
  }
  const result = v.safeParse(ConfigSchema, content);
  if (result.success) return result.output;
  const mistakes = result.issues.map(
    (issue) => `${CONFIG_ADDRESS}: ${v.getDotPath(issue) ?? '(top level)'}: ${issue.message}`,
  );
  throw new Error(mistakes.join('\n'));
}
