-- +goose Up

-- What the calls of a project may reach. Lists of addresses, networks and hosts, as in ORQ_EGRESS_ALLOW.
alter table projects
    add column egress_allow text[] not null default '{}', -- beyond the public ones; administrators write it
    add column egress_only  text[] not null default '{}'; -- when not empty: what may be called at all; the project's owners and admins write it

-- How much a project may use, besides max_concurrent. Null: what holds for the installation (ORQ_QUOTA_…).
alter table projects
    add column quota_workflows       integer check (quota_workflows > 0),
    add column quota_runs_per_minute integer check (quota_runs_per_minute > 0);
create index projects_paced on projects (id) where quota_runs_per_minute is not null;

-- +goose Down
alter table projects drop column quota_workflows, drop column quota_runs_per_minute;
alter table projects drop column egress_allow, drop column egress_only;
