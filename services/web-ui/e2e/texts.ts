/** Well above any sensible threshold: plain words, varied, tied by pronouns, without repetition. */
export function goodText(topic: string): string {
  return [
    `${topic} lives near the old harbour, where the boats come home at dusk.`,
    'They bring fish, rope and many stories.',
    'These tales are told again in the warm kitchen, but each cook adds a small twist.',
    'So nobody knows which part is true.',
    'It hardly matters, because a good meal needs company more than facts.',
  ].join(' ');
}

export const POOR_TEXT = 'Bad bad bad bad bad bad bad bad bad bad bad bad.';

let count = 0;

/** A name that no run has used before. */
export function freshTopic(): string {
  count += 1;
  return `Visitor ${Date.now()}${count}`;
}
