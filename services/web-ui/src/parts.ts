import type { Parts } from './api/model';

export interface PartText {
  key: keyof Parts;
  label: string;
  meaning: string;
}

/** The parts of the score in the order in which the page shows them. */
export const PARTS: readonly PartText[] = [
  {
    key: 'readability',
    label: 'Readability',
    meaning: 'How short its sentences and words are.',
  },
  {
    key: 'lexical_diversity',
    label: 'Lexical diversity',
    meaning: 'How varied its words are, over every stretch of fifty.',
  },
  {
    key: 'repetition',
    label: 'Repetition',
    meaning: 'How free it is of phrases that come again.',
  },
  {
    key: 'coherence',
    label: 'Coherence',
    meaning: 'How many of its sentences are tied to the one before.',
  },
];
