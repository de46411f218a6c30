-- A link that SVP has removed is not in UniPACC, unless SVP has made it again.
select
    attachment.stored_file_id,
    attachment.owner_id
from {{ source('svp', 'active_storage_attachments', deleted=true) }} as removed
join {{ source('svp', 'active_storage_blobs') }} as blob on blob.id = removed.blob_id
join {{ ref('person_map') }} as map
    on map.source_system = 'svp'
    and map.source_key = removed.record_id
join {{ ref('stored_file') }} as stored_file
    on stored_file.source_system = 'svp'
    and stored_file.object_key = blob.key
join {{ ref('attachment') }} as attachment
    on attachment.stored_file_id = stored_file.id
    and attachment.owner_type = 'person'
    and attachment.owner_id = map.person_id
    and attachment.name = removed.name
where removed._deleted_at is not null
    and removed.record_type in ('Labor', 'Worker')
    and not exists (
        select 1
        from {{ source('svp', 'active_storage_attachments') }} as again
        where again.blob_id = removed.blob_id
            and again.name = removed.name
    )
