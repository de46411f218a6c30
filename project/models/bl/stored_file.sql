-- Files of both buckets. Thumbnails are made anew by UniPACC and stay behind; the id is the identity column's.
{{ config(materialized='merge', unique_key=['source_system', 'object_key']) }}
select
    'qvp'::unipacc.source_system as source_system,
    file.object_key,
    coalesce({{ clean_text('file.file_name') }}, substring(file.object_key from '[^/]+$'), file.object_key) as file_name,
    coalesce({{ clean_text('file.content_type') }}, 'application/octet-stream') as content_type,
    case when file.byte_size >= 0 then file.byte_size end as size_bytes,
    case when file.sha256 ~* '^[0-9a-f]{64}$' then 'sha256' end as checksum_algorithm,
    case when file.sha256 ~* '^[0-9a-f]{64}$' then lower(file.sha256) end as checksum,
    file.created_at
from {{ source('qvp', 'file_storage') }} as file
where file.deleted_at is null
union all
select
    'svp'::unipacc.source_system as source_system,
    blob.key as object_key,
    blob.filename as file_name,
    coalesce({{ clean_text('blob.content_type') }}, 'application/octet-stream') as content_type,
    case when blob.byte_size >= 0 then blob.byte_size end as size_bytes,
    case when blob.checksum ~ '^[A-Za-z0-9+/]{22}==$' then 'md5' end as checksum_algorithm,
    case when blob.checksum ~ '^[A-Za-z0-9+/]{22}==$' then encode(decode(blob.checksum, 'base64'), 'hex') end as checksum,
    {{ at_utc('blob.created_at') }} as created_at
from {{ source('svp', 'active_storage_blobs') }} as blob
where not exists (
    select 1
    from {{ source('svp', 'active_storage_attachments') }} as thumbnail
    where thumbnail.blob_id = blob.id
        and thumbnail.record_type = 'ActiveStorage::VariantRecord'
)
