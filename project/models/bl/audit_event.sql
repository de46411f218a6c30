-- The history of both systems, under the names of the records it speaks of.
select
    {{ target_id('qvp', 'entry.id') }} as id,
    'qvp'::unipacc.source_system as source_system,
    app_user.id as app_user_id,
    {{ clean_text('entry.actor_email') }} as actor_label,
    entry.action,
    entry.table_name as subject_type,
    entry.row_id as subject_key,
    nullif(
        jsonb_strip_nulls(jsonb_build_object('old', entry.old_values, 'new', entry.new_values)),
        '{}'
    ) as changes,
    entry.client_ip,
    entry.created_at as occurred_at
from {{ source('qvp', 'audit_log') }} as entry
left join {{ ref('app_user') }} as app_user on app_user.email = lower(btrim(entry.actor_email))
union all
select
    {{ target_id('svp', 'version.id') }} as id,
    'svp'::unipacc.source_system as source_system,
    app_user.id as app_user_id,
    {{ clean_text('version.whodunnit') }} as actor_label,
    case version.event when 'create' then 'insert' when 'destroy' then 'delete' else version.event end as action,
    version.item_type as subject_type,
    version.item_id as subject_key,
    version.object_changes as changes,
    null::inet as client_ip,
    {{ at_utc('version.created_at') }} as occurred_at
from {{ source('svp', 'versions') }} as version
-- People who have left are still named in the history.
left join {{ source('svp', 'users', deleted=true) }} as member on member.id::text = version.whodunnit
left join {{ ref('app_user') }} as app_user on app_user.email = lower(btrim(member.email))
