-- A minute in the life of SVP. Each run moves:
--   labors                       2 updated (a mobile number, an Arabic name)
--   exam_reservations            1 updated (its status), 1 inserted
--   certificates                 1 updated (suspended, and active again next time)
--   payments                     1 inserted
--   users                        1 deleted, 1 inserted (a trainee leaves, another comes)
--   active_storage_blobs         1 inserted
--   active_storage_attachments   1 deleted, 1 inserted (a photo is replaced)
--   versions                     2 inserted

update labors as labor
set
    mobile = '+966 5' || lpad(((extract(epoch from clock_timestamp()) * 1000)::bigint % 100000000)::text, 8, '0'),
    updated_at = now() at time zone 'UTC'
where labor.id = 8;

update labors as labor
set
    full_name_ar = case
        when labor.full_name_ar like '% ' then rtrim(labor.full_name_ar) || ' بن علي'
        else 'محمد الحربي '
    end,
    updated_at = now() at time zone 'UTC'
where labor.id = 10;

update exam_reservations as reservation
set
    status = (reservation.status + 1) % 5,
    updated_at = now() at time zone 'UTC'
where reservation.id = 3;

insert into exam_reservations (
    labor_id,
    exam_session_id,
    status,
    seat_number,
    notes,
    reserved_at,
    created_at,
    updated_at
)
select
    11,
    session.id,
    0,
    'A1',
    E'asked for "seat by the window"\n🪟',
    now() at time zone 'UTC',
    now() at time zone 'UTC',
    now() at time zone 'UTC'
from exam_sessions as session
where session.starts_at is not null
    and session.occupation_id is not null
    and session.test_center_id not in (39, 77)
    and not exists (
        select 1
        from exam_reservations as booked
        where booked.labor_id = 11
            and booked.exam_session_id = session.id
    )
order by session.id
limit 1;

update certificates as certificate
set
    status = case certificate.status when 4 then 1 else 4 end,
    updated_at = now() at time zone 'UTC'
where certificate.id = 4;

insert into payments (
    invoice_id,
    amount_cents,
    currency,
    method,
    status,
    gateway,
    gateway_payload,
    paid_at,
    created_at,
    updated_at
)
values (
    6,
    2550,
    'SAR',
    0,
    1,
    'hyperpay',
    jsonb_build_object('ref', md5(clock_timestamp()::text)),
    now() at time zone 'UTC',
    now() at time zone 'UTC',
    now() at time zone 'UTC'
);

delete from users as trainee
where trainee.email like 'trainee%@svp.example.com';

insert into users (type, email, full_name, created_at, updated_at)
values (
    'Intern',
    'trainee.' || to_char(clock_timestamp(), 'YYYYMMDDHH24MISSUS') || '@svp.example.com',
    'Trainee of the week',
    now() at time zone 'UTC',
    now() at time zone 'UTC'
);

delete from active_storage_attachments as attachment
where attachment.id = (
    select min(photo.id)
    from active_storage_attachments as photo
    where photo.record_type = 'Labor'
        and photo.record_id < 900000000
);

with blob as (
    insert into active_storage_blobs (
        key,
        filename,
        content_type,
        metadata,
        service_name,
        byte_size,
        checksum,
        created_at
    )
    values (
        substr(md5(clock_timestamp()::text) || md5(clock_timestamp()::text), 1, 28),
        'photo "new".jpg',
        'image/jpeg',
        '{"identified":true}',
        'amazon',
        48213,
        'XrY7u+Ae7tCTyyK7j1rNww==',
        now() at time zone 'UTC'
    )
    returning
        id,
        created_at
)

insert into active_storage_attachments (name, record_type, record_id, blob_id, created_at)
select
    'photo',
    'Labor',
    13,
    blob.id,
    blob.created_at
from blob;

insert into versions (item_type, item_id, event, whodunnit, object_changes, created_at)
values
    ('Labor', 8, 'update', '1', '{"mobile": [null, "changed"]}', now() at time zone 'UTC'),
    ('Certificate', 4, 'update', 'console: deploy@web-1', '{"status": [1, 4]}', now() at time zone 'UTC');
