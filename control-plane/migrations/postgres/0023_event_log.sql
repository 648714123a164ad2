-- What happened. A transaction leaves its events in `outbox`, without a number and without waiting for
-- anybody; the sequencer takes them from there into `event_log`.
create table event_log_epochs (
    -- made anew when the database is restored: a reader's position is good for one epoch
    epoch text not null,
    constraint event_log_epochs_epoch_key primary key (epoch)
);
insert into event_log_epochs (epoch)
select substr(replace(cast(gen_random_uuid() as text), '-', ''), 1, 16);

-- One for each tenant.
create table event_streams (
    number bigint generated always as identity,
    tenant_id text not null,
    -- the last number given
    head bigint not null default 0,
    -- how many of them the tree has, and what was last signed of it
    sealed bigint not null default 0,
    checkpoint text,
    constraint event_streams_number_key primary key (number),
    constraint event_streams_tenant_id_key unique (tenant_id),
    constraint event_streams_tenant_id_fkey foreign key (tenant_id) references tenants (id)
) with (fillfactor = 50);
insert into event_streams (tenant_id, head)
select id, (select count(*) from outbox where outbox.tenant_id = tenants.id) from tenants order by id;

create table event_log (
    stream bigint not null,
    -- 1, 2, 3 … without a gap
    seq bigint not null,
    id text not null,
    type text not null,
    version bigint not null,
    created_at bigint not null,
    -- success, failure, denied
    result text not null,
    actor_type text not null,
    actor_id text not null,
    session_id text,
    target text not null,
    organization_id text,
    request_id text,
    data text not null,
    -- personal data, which can be erased: the rest holds its digest with the salt
    ip text,
    user_agent text,
    salt text,
    -- that digest itself, once they are erased
    context_digest text,
    constraint event_log_stream_seq_key primary key (stream, seq, created_at)
) partition by range (created_at);
create index event_streams_unsealed_idx on event_streams (number) where head > sealed;
create index event_log_stream_actor_id_seq_idx on event_log (stream, actor_id, seq);
create index event_log_stream_target_seq_idx on event_log (stream, target, seq);
create index event_log_stream_type_seq_idx on event_log (stream, type, seq);
create index event_log_stream_created_at_idx on event_log (stream, created_at);

-- Months are made ahead; what lies outside of them, as after a clock went wrong, is kept here.
create table event_log_other partition of event_log default;

-- Makes the month of a moment (Unix milliseconds) and the two after it. With the rights of whoever brought the
-- database up to date: whoever serves need not be able to make tables.
create function make_event_months(now_millis bigint) returns void language plpgsql
security definer set search_path from current as $$
declare
    first timestamp := date_trunc('month', to_timestamp(now_millis / 1000.0) at time zone 'utc');
    month timestamp;
    name text;
begin
    for step in 0..2 loop
        month := first + make_interval(months => step);
        name := 'event_log_' || to_char(month, 'YYYY_MM');
        if to_regclass(quote_ident(name)) is null then
            begin
                execute format(
                    'create table %I partition of event_log for values from (%s) to (%s)', name,
                    cast(extract(epoch from month) * 1000 as bigint),
                    cast(extract(epoch from month + interval '1 month') * 1000 as bigint));
            -- Some of its events lie outside of months already, and stay there.
            exception when check_violation then null;
            end;
        end if;
    end loop;
end $$;
select make_event_months(cast(extract(epoch from now()) * 1000 as bigint));

insert into event_log (stream, seq, id, type, version, created_at, result, actor_type, actor_id, target,
    request_id, data)
select event_streams.number,
    row_number() over (partition by outbox.tenant_id order by outbox.created_at, outbox.id),
    outbox.id, outbox.kind, 1, outbox.created_at,
    case when outbox.kind in ('sign_in.failed', 'refresh_token.reused') then 'failure' else 'success' end,
    outbox.actor_kind, outbox.actor_id, outbox.subject, outbox.request_id,
    case when outbox.kind in ('session.created', 'session.refreshed', 'refresh_token.reused')
        then replace(replace(outbox.data, '"user":', '"user_id":'), '"organization":', '"organization_id":')
        else outbox.data end
from outbox join event_streams on event_streams.tenant_id = outbox.tenant_id;

drop table outbox;

create table outbox (
    position bigint generated always as identity,
    tenant_id text not null,
    id text not null,
    type text not null,
    version bigint not null,
    created_at bigint not null,
    result text not null,
    actor_type text not null,
    actor_id text not null,
    session_id text,
    target text not null,
    organization_id text,
    request_id text,
    data text not null,
    ip text,
    user_agent text,
    salt text,
    constraint outbox_position_key primary key (position),
    constraint outbox_tenant_id_fkey foreign key (tenant_id) references tenants (id)
) with (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0);

create function have_an_event_stream() returns trigger language plpgsql as $$
begin
    insert into event_streams (tenant_id) values (new.id);
    return null;
end $$;
create trigger tenants_have_an_event_stream after insert on tenants
    for each row execute function have_an_event_stream();
