-- The staff of both systems, one account an e-mail address. QVP keeps its staff elsewhere: who worked there is read from
-- its audit log.
{{ config(materialized='merge', unique_key='email', deletes='soft', deleted_column='deleted_at') }}
with account as (
    select
        lower(btrim(member.email)) as email,
        1 as preference,
        member.id as source_key,
        {{ clean_text('member.full_name') }} as full_name,
        role.role,
        nullif(member.encrypted_password, '') as password_digest,
        {{ at_utc('member.last_sign_in_at') }} as last_sign_in_at,
        organization.id as organization_id
    from {{ source('svp', 'users') }} as member
    left join {{ ref('user_roles') }} as role on role.type = member.type
    left join {{ ref('organization') }} as organization
        on organization.id = {{ target_id('svp', 'member.test_center_id') }}
    where member.deleted_at is null
    union all
    select
        lower(btrim(entry.actor_email)) as email,
        2 as preference,
        0 as source_key,
        null::text as full_name,
        'verifier' as role,
        null::text as password_digest,
        null::timestamptz as last_sign_in_at,
        null::bigint as organization_id
    from {{ source('qvp', 'audit_log') }} as entry
    where entry.actor_email like '%_@_%'
    group by lower(btrim(entry.actor_email))
)

select
    account.email,
    {{ first_known('account.full_name') }} as full_name,
    coalesce({{ first_known('account.role') }}, 'viewer')::unipacc.user_role as role,
    {{ first_known('account.password_digest') }} as password_digest,
    max(account.last_sign_in_at) as last_sign_in_at,
    {{ first_known('account.organization_id') }} as organization_id
from account
group by account.email
