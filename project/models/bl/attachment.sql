-- Which file belongs to what. A link whose file or owner is not in UniPACC leads nowhere and is not made.
{{ config(
    materialized='merge',
    unique_key=['stored_file_id', 'owner_type', 'owner_id', 'name'],
    deletes='hard'
) }}
{% set owners = ['certificate', 'exam_registration', 'invoice', 'person', 'qualification', 'verification_request'] %}
with link as (
    select
        'qvp' as source_system,
        file.object_key,
        file.owner_table as source_type,
        file.owner_id as source_key,
        coalesce({{ clean_text('file.purpose') }}, 'document') as name
    from {{ source('qvp', 'file_storage') }} as file
    where file.deleted_at is null
    union all
    select
        'svp' as source_system,
        blob.key as object_key,
        attachment.record_type as source_type,
        attachment.record_id as source_key,
        attachment.name
    from {{ source('svp', 'active_storage_attachments') }} as attachment
    join {{ source('svp', 'active_storage_blobs') }} as blob on blob.id = attachment.blob_id
),

owned as (
    select
        link.source_system,
        link.object_key,
        link.name,
        type.owner_type,
        case
            when type.owner_type = 'person' then map.person_id
            when type.owner_type = 'exam_registration' then {{ target_id('svp', 'registration.registration_key') }}
            when link.source_system = 'qvp' then {{ target_id('qvp', 'link.source_key') }}
            else {{ target_id('svp', 'link.source_key') }}
        end as owner_id
    from link
    join {{ ref('attachment_owner_types') }} as type
        on type.source_system = link.source_system
        and type.source_type = link.source_type
    left join {{ ref('person_map') }} as map
        on type.owner_type = 'person'
        and map.source_system = link.source_system
        and map.source_key = link.source_key
    left join {{ ref('svp_registration_map') }} as registration
        on type.owner_type = 'exam_registration'
        and registration.reservation_key = link.source_key
),

owner as (
    {% for name in owners %}
    select
        '{{ name }}' as owner_type,
        {{ name }}.id as owner_id
    from {{ ref(name) }} as {{ name }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
)

select
    stored_file.id as stored_file_id,
    owner.owner_type::unipacc.owner_type as owner_type,
    owner.owner_id,
    owned.name
from owned
join owner
    on owner.owner_type = owned.owner_type
    and owner.owner_id = owned.owner_id
join {{ ref('stored_file') }} as stored_file
    on stored_file.source_system::text = owned.source_system
    and stored_file.object_key = owned.object_key
group by
    stored_file.id,
    owner.owner_type,
    owner.owner_id,
    owned.name
