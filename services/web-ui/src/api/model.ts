import * as v from 'valibot';

const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

export const PartsSchema = v.object({
  readability: Share,
  lexical_diversity: Share,
  repetition: Share,
  coherence: Share,
});

export const AnalysisSchema = v.object({
  id: v.pipe(v.string(), v.uuid()),
  text: v.string(),
  score: Share,
  parts: PartsSchema,
  words: v.number(),
  sentences: v.number(),
  cached: v.boolean(),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
});

export const HistoryPageSchema = v.object({
  items: v.array(AnalysisSchema),
  next: v.nullable(v.string()),
});

/** RFC 9457; a server may leave any field out. */
export const ProblemSchema = v.object({
  title: v.optional(v.string()),
  detail: v.optional(v.string()),
});

export type Parts = v.InferOutput<typeof PartsSchema>;
export type Analysis = v.InferOutput<typeof AnalysisSchema>;
export type HistoryPage = v.InferOutput<typeof HistoryPageSchema>;
