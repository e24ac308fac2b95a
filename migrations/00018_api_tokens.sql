-- +goose Up

-- What programs log in with. The token itself is never kept.
create table api_tokens (
    id         uuid primary key, -- UUIDv7: sorts by time
    user_id    uuid        not null references users (id) on delete cascade,
    name       text        not null,
    hash       bytea       not null unique, -- SHA-256 of the token
    hint       text        not null,        -- its last characters, to tell it by
    scopes     text[]      not null,        -- permissions; what its user may not do, it may not either
    project_id uuid references projects (id) on delete cascade, -- the only project that it sees; null: all of its user's
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz, -- to the minute
    revoked_at timestamptz
);
create index api_tokens_user on api_tokens (user_id, id);

-- +goose Down
drop table api_tokens;
