-- Who may do what in the database, applied after every migration: the programs that run need neither own the tables nor be
-- able to change them, and the worker, which does what users wrote, sees nothing to log in with.
--
-- orq_api        reads and writes all rows
-- orq_scheduler  the same, but for accounts and secrets
-- orq_worker     reads what runs need, and writes what becomes of them
--
-- Where the owner may not create roles, and nobody else did, nothing is granted: then the programs connect as the owner.

do $$
declare
    who text;
begin
    foreach who in array array ['orq_api', 'orq_scheduler', 'orq_worker'] loop
        if not exists (select from pg_roles where rolname = who) then
            begin
                execute format('create role %I', who);
            exception
                when insufficient_privilege then
                    raise notice 'this user may not create the role %: the programs connect as the owner of the tables', who;
                when duplicate_object or unique_violation then
                    null; -- another database of this server did at the same moment
            end;
        end if;
    end loop;
    if (select count(*) from pg_roles where rolname in ('orq_api', 'orq_scheduler', 'orq_worker')) < 3 then
        return;
    end if;

    execute format('revoke create on schema %I from public', current_schema);
    execute format('grant usage on schema %I to orq_api, orq_scheduler, orq_worker', current_schema);
    -- From nothing on, so that what an earlier version granted goes away.
    execute format('revoke all on all tables in schema %I from orq_api, orq_scheduler, orq_worker', current_schema);

    execute format('grant select, insert, update, delete on all tables in schema %I to orq_api, orq_scheduler', current_schema);
    execute format('grant usage on all sequences in schema %I to orq_api, orq_scheduler, orq_worker', current_schema);
    execute format('grant select on all tables in schema %I to orq_worker', current_schema);
    revoke insert, update, delete on goose_db_version from orq_api, orq_scheduler;

    -- Accounts. The scheduler clears away what has expired; hashes of passwords are the API's alone.
    revoke all on users, api_tokens, sessions, refresh_tokens, invitations, password_resets, identities, sso_attempts from orq_scheduler, orq_worker;
    grant select (id, email, username, role, created_at, disabled_at) on users to orq_scheduler, orq_worker;
    grant select, delete on api_tokens, sessions, refresh_tokens, invitations, password_resets, sso_attempts to orq_scheduler;
    revoke insert, update, delete on projects, project_members from orq_scheduler;

    -- Secrets are sealed in any case. They are set by the API and opened by the worker.
    revoke all on secrets from orq_scheduler;
    grant update (used_at) on secrets to orq_worker;

    -- The audit log is only added to; old entries go by a function that keeps the last 30 days whatever it is told.
    revoke all on audit_entries, audit_head from orq_api, orq_scheduler, orq_worker;
    grant select, insert on audit_entries to orq_api, orq_scheduler;
    grant select, update on audit_head to orq_api, orq_scheduler;

    -- What runs with the rights of the owner.
    revoke execute on function make_week, drop_weeks, cut_audit from public;
    grant execute on function make_week, drop_weeks, cut_audit to orq_scheduler;

    -- What becomes of runs.
    grant insert, update, delete on
        runs, run_live, step_runs, run_logs, unsuccessful_runs, run_counts, child_runs, idempotency_keys, step_tests, approvals,
        occurrences, triggers, trigger_pauses, backfills, backfill_fires, heartbeats, after_fires, workers, queues, host_limits,
        alerts, alert_deliveries, alert_incidents, alert_news, alert_seen
        to orq_worker;
end
$$;
