-- +goose Up

-- Where a project's alerts go: the configuration of an action without the message, which each alert brings.
create table alert_channels (
    id         uuid primary key, -- UUIDv7: sorts by time
    project_id uuid        not null references projects (id) on delete cascade,
    name       text        not null,
    action     text        not null, -- send_email, slack, …
    config     jsonb       not null,
    secrets    text[]      not null default '{}', -- that it names, so that none of them goes away
    vars       text[]      not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (project_id, name)
);

-- What people want to hear of, and where.
create table alert_rules (
    id         uuid primary key, -- UUIDv7: sorts by time
    project_id uuid        not null references projects (id) on delete cascade,
    name       text        not null,
    enabled    boolean     not null,
    kinds      text[]      not null, -- failure, recovery, missed, …
    workflows  uuid[]      not null, -- none: all of the project
    channels   uuid[]      not null,
    repeat     interval    not null, -- zero: never again until it is over
    spec       jsonb       not null, -- alert.Rule
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (project_id, name)
);
create index alert_rules_on on alert_rules (project_id) where enabled;

-- Workflows of which nobody wants to hear for a time.
create table alert_mutes (
    workflow_id uuid primary key references workflows (id) on delete cascade,
    until       timestamptz not null,
    muted_by    text        not null,
    created_at  timestamptz not null default now()
);

-- What happened that a rule may be about: written with what happened, taken with what the rules make of it. Only projects
-- with rules have any.
create table alert_news (
    id          bigint generated always as identity primary key,
    kind        text        not null check (kind in ('failure', 'missed', 'heartbeat')),
    project_id  uuid        not null,
    workflow_id uuid        not null,
    trigger_id  uuid,
    run_id      uuid,
    at          timestamptz not null default now(),
    count       integer     not null default 1,
    code        text,
    reason      text
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
-- +goose StatementBegin
create function tell_of_alert_news() returns trigger language plpgsql as $$
begin
    notify orq_alert;
    return null;
end $$;
-- +goose StatementEnd
create trigger alert_news_told after insert on alert_news for each row execute function tell_of_alert_news();

-- What is the matter now, by rule: it begins with the first cause and ends when it is over. Its messages follow from it.
create table alert_incidents (
    rule_id     uuid        not null references alert_rules (id) on delete cascade,
    kind        text        not null,
    subject     uuid        not null, -- the workflow, or the trigger of a missed occurrence or a heartbeat
    workflow_id uuid        not null,
    trigger_id  uuid,
    run_id      uuid, -- the latest that it is about
    since       timestamptz not null, -- the first cause
    last_at     timestamptz not null, -- the latest cause
    count       integer     not null, -- causes
    told        integer     not null default 0, -- of those, how many the messages so far are about
    told_at     timestamptz, -- the latest message; null: none yet
    code        text, -- why, for programs
    reason      text, -- why, for people
    primary key (rule_id, kind, subject)
) with (fillfactor = 70);

-- Which live runs a rule has counted already, as late or held.
create table alert_seen (
    rule_id uuid        not null references alert_rules (id) on delete cascade,
    kind    text        not null,
    run_id  uuid        not null,
    at      timestamptz not null, -- since when it is late or held
    primary key (rule_id, kind, run_id, at)
);
create index alert_seen_run on alert_seen (run_id);

-- The messages, and what became of them.
create table alerts (
    id          uuid primary key, -- UUIDv7: sorts by time
    project_id  uuid        not null references projects (id) on delete cascade,
    rule_id     uuid        references alert_rules (id) on delete set null,
    workflow_id uuid, -- null: a test, or a digest
    run_id      uuid,
    kind        text        not null, -- as of a rule, or test, digest
    of_kind     text, -- what a recovery is from
    facts       jsonb       not null, -- alert.Facts
    title       text        not null,
    text        text        not null,
    state       text        not null check (state in ('out', 'kept', 'digested', 'dropped')),
    release_at  timestamptz, -- kept: when the quiet hours end
    digest_id   uuid, -- digested: by which
    created_at  timestamptz not null default now()
);
create index alerts_project on alerts (project_id, id);
create index alerts_digest on alerts (digest_id) where digest_id is not null;
create index alerts_kept on alerts (release_at) where state = 'kept';

-- A message on its way to one channel.
create table alert_deliveries (
    alert_id     uuid        not null references alerts (id) on delete cascade,
    channel_id   uuid        not null, -- that may be gone by now
    channel_name text        not null,
    state        text        not null default 'waiting' check (state in ('waiting', 'sending', 'sent', 'failed')),
    attempts     integer     not null default 0, -- how often a worker took it; with worker, the fence
    due_at       timestamptz not null default now(), -- sending: until when its worker has it
    worker       text,
    tries        jsonb       not null default '[]', -- attempts that failed, and why
    sent_at      timestamptz,
    primary key (alert_id, channel_id)
) with (fillfactor = 70);
create index alert_deliveries_due on alert_deliveries (due_at) where state in ('waiting', 'sending');
create index alert_deliveries_sent on alert_deliveries (channel_id, alert_id) where state = 'sent';
create index alert_deliveries_failed on alert_deliveries (alert_id) where state = 'failed';

-- When some scheduler last told the outside that all is well.
create table installation_beat (
    singleton boolean primary key default true check (singleton),
    beat_at   timestamptz not null default '-infinity'
);
insert into installation_beat default values;

-- A ping changes none of this: late_since changes when a job is late, and when it is not any more.
create index heartbeats_late on heartbeats (trigger_id) where late_since is not null;

-- +goose Down
drop index heartbeats_late;
drop table installation_beat, alert_deliveries, alerts, alert_seen, alert_incidents, alert_news, alert_mutes, alert_rules, alert_channels;
drop function tell_of_alert_news();
