-- name: load
select
    (
        select count(*)
        from pg_stat_activity
        where state = 'active'
            and backend_type = 'client backend'
            and pid <> pg_backend_pid()
            and not starts_with(application_name, 'unimig ')
    ) as active_sessions,
    (
        case
            when not pg_is_in_recovery() then (
                select extract(epoch from max(replay_lag))
                from pg_stat_replication
            )
            -- A replica that has replayed all it got is not behind, however long its primary has been idle.
            when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
            else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())
        end
    )::float8 as lag_seconds,
    -- Other roles' sessions and replicas show what they do only to who may read all statistics.
    pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_others
