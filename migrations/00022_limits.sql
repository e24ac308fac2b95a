-- +goose Up

-- What the calls of a project may reach. Lists of addresses, networks and hosts, as in ORQ_EGRESS_ALLOW.
alter table projects
    add column egress_allow text[] not null default '{}', -- beyond the public ones; administrators write it
    add column egress_only  text[] not null default '{}'; -- when not empty: what may be called at all; the project's owners and admins write it

-- +goose Down
alter table projects drop column egress_allow, drop column egress_only;
