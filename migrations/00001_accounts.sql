-- +goose Up
create table users (
    id            uuid primary key,
    email         text        not null,
    username      text        not null,
    password_hash text        not null,
    role          text        not null check (role in ('administrator', 'member')),
    created_at    timestamptz not null default now(),
    disabled_at   timestamptz
);
create unique index users_email on users (lower(email));
create unique index users_username on users (lower(username));

create table projects (
    id         uuid primary key,
    name       text        not null,
    created_at timestamptz not null default now()
);

create table project_members (
    project_id uuid not null references projects (id) on delete cascade,
    user_id    uuid not null references users (id) on delete cascade,
    role       text not null check (role in ('owner', 'admin', 'editor', 'operator', 'viewer')),
    created_at timestamptz not null default now(),
    primary key (user_id, project_id)
);
create index project_members_project on project_members (project_id);

-- A session is the family of all refresh tokens that descend from one login.
create table sessions (
    id             uuid primary key,
    user_id        uuid        not null references users (id) on delete cascade,
    created_at     timestamptz not null default now(),
    used_at        timestamptz not null default now(),
    expires_at     timestamptz not null,
    revoked_at     timestamptz,
    revoked_reason text,
    user_agent     text        not null default '',
    address        text        not null default ''
);
create index sessions_user on sessions (user_id);

create table refresh_tokens (
    hash       bytea primary key, -- SHA-256 of the token; the token itself is never kept
    session_id uuid        not null references sessions (id) on delete cascade,
    issued_at  timestamptz not null default now(),
    used_at    timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);

-- +goose Down
drop table refresh_tokens, sessions, project_members, projects, users;
