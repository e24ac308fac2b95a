-- +goose Up

-- An account that was made by single sign-on has no password until its owner chooses one.
alter table users alter column password_hash drop not null;

-- Whom other services mean by their accounts. What tells people apart is the issuer and its subject, never the address.
create table identities (
    id         uuid primary key, -- UUIDv7: sorts by time
    user_id    uuid        not null references users (id) on delete cascade,
    issuer     text        not null,
    subject    text        not null,
    email      text        not null, -- what the issuer said last, to know it by; empty for nothing
    created_at timestamptz not null default now(),
    used_at    timestamptz,
    unique (issuer, subject),
    unique (user_id, issuer)
);

-- People who were sent to another service and are not back yet. Each row is used up by whoever comes back with its state.
create table sso_attempts (
    state      bytea primary key,            -- SHA-256 of what goes along and comes back
    browser    bytea       not null,         -- SHA-256 of the cookie of the browser that began
    issuer     text        not null,
    nonce      text        not null,
    next       text        not null,         -- where to go then, on this installation
    invitation bytea,                        -- the hash of the link that they came with
    user_id    uuid references users (id) on delete cascade, -- whose account gets the identity; null: somebody logs in
    session_id uuid references sessions (id) on delete cascade,
    expires_at timestamptz not null,
    check ((user_id is null) = (session_id is null))
);
create index sso_attempts_expires on sso_attempts (expires_at);

-- +goose Down
drop table sso_attempts, identities;
update users set password_hash = '' where password_hash is null; -- it matches nothing
alter table users alter column password_hash set not null;
