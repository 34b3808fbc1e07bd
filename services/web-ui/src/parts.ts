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
    meaning: 'Short sentences and short words are easily read.',
  },
  {
    key: 'lexical_diversity',
    label: 'Lexical diversity',
    meaning: 'How varied the words are, over every stretch of fifty.',
  },
  {
    key: 'repetition',
    label: 'Repetition',
    meaning: '1 when no phrase of three words comes twice.',
  },
  {
    key: 'coherence',
    label: 'Coherence',
    meaning: 'How many sentences are tied to the one before.',
  },
];
