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

/** What a problem also has when the text was scored, but below the threshold. */
export const RejectionSchema = v.object({
  score: Share,
  threshold: Share,
  parts: PartsSchema,
});

export const HealthSchema = v.object({
  status: v.picklist(['ready', 'degraded', 'unavailable']),
  parts: v.record(v.string(), v.picklist(['up', 'down'])),
});

export type Parts = v.InferOutput<typeof PartsSchema>;
export type Analysis = v.InferOutput<typeof AnalysisSchema>;
export type Rejection = v.InferOutput<typeof RejectionSchema>;
export type Health = v.InferOutput<typeof HealthSchema>;
export type HistoryPage = v.InferOutput<typeof HistoryPageSchema>;
