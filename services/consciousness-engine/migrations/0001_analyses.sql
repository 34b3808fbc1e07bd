create table analyses (
    id                uuid             primary key,
    content_hash      bytea            not null unique check (octet_length(content_hash) = 32),
    text              text             not null,
    score             double precision not null check (score between 0 and 1),
    readability       double precision not null check (readability between 0 and 1),
    lexical_diversity double precision not null check (lexical_diversity between 0 and 1),
    repetition        double precision not null check (repetition between 0 and 1),
    coherence         double precision not null check (coherence between 0 and 1),
    words             bigint           not null check (words > 0),
    sentences         bigint           not null check (sentences > 0),
    created_at        timestamptz      not null default now()
);
