-- +goose Up

-- Who changed what. Each entry carries the hash of the one before it (pkg/audit): texts are kept as they were hashed, so that
-- before and after are text and not jsonb, which would write them anew. Nothing refers to what an entry names: it outlives it.
create table audit_entries (
    number     bigint primary key, -- from 1, without gaps
    at         timestamptz not null,
    actor_kind text        not null,
    actor_id   uuid,
    actor_name text        not null,
    session_id uuid,
    token_id   uuid,
    address    text        not null,
    request_id text        not null,
    action     text        not null,
    kind       text        not null generated always as (split_part(action, '.', 1)) stored,
    project_id uuid,
    object_id  text        not null,
    object_name text       not null,
    before     text,
    after      text,
    previous   bytea       not null,
    hash       bytea       not null,
    seal       bytea, -- proves hash to whoever has the installation's key
    sealed_by  text
);
create index audit_entries_at on audit_entries (at, number);
create index audit_entries_project on audit_entries (project_id, number);
create index audit_entries_actor on audit_entries (actor_id, number);
create index audit_entries_action on audit_entries (action, number);
create index audit_entries_kind on audit_entries (kind, number);
create index audit_entries_object on audit_entries (object_id, number);

-- Where the chain ends. Whoever adds to it holds this row until its transaction ends, and waits for nothing else meanwhile.
create table audit_head (
    single boolean primary key default true check (single),
    number bigint      not null,
    at     timestamptz not null,
    hash   bytea       not null
);
insert into audit_head (number, at, hash) values (0, to_timestamp(0), decode(repeat('00', 32), 'hex'));

-- +goose StatementBegin
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and tg_level = 'ROW' then
        if old.number <= coalesce(nullif(current_setting('orq.audit_cut', true), ''), '0')::bigint then
            return old;
        end if;
    end if;
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
end
$$;
-- +goose StatementEnd

create trigger audit_entries_stay before update or delete on audit_entries for each row execute function refuse_audit_change();
create trigger audit_entries_stay_all before truncate on audit_entries for each statement execute function refuse_audit_change();

-- Removes up to most entries that are older than keep, from the old end only, and answers the last of them. It runs with its
-- owner's rights, so that whoever adds entries needs none to delete them, and keeps 30 days whatever it is told.
-- +goose StatementBegin
create function cut_audit(keep interval, most bigint, out through bigint, out hash bytea, out removed bigint)
language plpgsql security definer set search_path from current as $$
begin
    if keep < interval '30 days' then
        raise exception 'entries of the last 30 days stay' using errcode = 'insufficient_privilege';
    end if;
    if not pg_try_advisory_xact_lock(7237489021) then
        return; -- another scheduler is about it
    end if;
    select e.number into through from audit_entries e where e.at < now() - keep order by e.at desc, e.number desc limit 1;
    if through is null then
        return;
    end if;
    select least(through, min(e.number) + most - 1) into through from audit_entries e;
    select e.hash into hash from audit_entries e where e.number = through;
    perform set_config('orq.audit_cut', through::text, true);
    delete from audit_entries e where e.number <= through;
    get diagnostics removed = row_count;
    perform set_config('orq.audit_cut', '', true);
end
$$;
-- +goose StatementEnd

-- +goose Down
drop function cut_audit;
drop table audit_head, audit_entries;
drop function refuse_audit_change;
