-- +goose Up

-- A run's row is written when it is made and once more when it ends. When its page has room for the second version, no
-- index has to be written again, and the first version's place is used by others on the page; that takes less than
-- tight pages and twice the index entries. Steps and logs are mostly written once.
-- +goose StatementBegin
create or replace function make_week(at timestamptz) returns boolean
    language plpgsql security definer set search_path from current as $$
declare
    monday timestamp := date_trunc('week', at at time zone 'UTC');
    lowest uuid := first_id_at(monday at time zone 'UTC');
    above uuid := first_id_at((monday + interval '7 days') at time zone 'UTC');
    kind record;
    part text;
    made boolean := false;
begin
    perform pg_advisory_xact_lock(hashtext('orq weeks'));
    for kind in select * from (values ('runs', 'id', 55), ('step_runs', 'run_id', 100), ('run_logs', 'run_id', 100)) k (name, key, fill) loop
        part := kind.name || '_' || to_char(monday, 'YYYYMMDD');
        continue when to_regclass(part) is not null;
        execute format('create table %I (like %I including all) with (fillfactor = %s)', part, kind.name, kind.fill);
        execute format('with moved as (delete from %I where %I >= $1 and %I < $2 returning *) insert into %I select * from moved',
                       kind.name || '_other', kind.key, kind.key, part) using lowest, above;
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind.name, part, lowest, above);
        made := true;
    end loop;
    return made;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
do $$
declare
    part record;
begin
    for part in
        select c.relname as name, case i.inhparent when 'runs'::regclass then 55 else 100 end as fill
          from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent in ('runs'::regclass, 'step_runs'::regclass, 'run_logs'::regclass)
    loop
        execute format('alter table %I set (fillfactor = %s)', part.name, part.fill);
    end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
-- How full pages are made is no part of the schema: the function of the version before would do the same with other numbers.
select 1;
