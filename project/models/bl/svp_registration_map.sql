-- Reservations of one person for one session are one registration, under the key of the first.
{{ config(materialized='ephemeral') }}
select
    reservation.id as reservation_key,
    map.person_id,
    min(reservation.id) over (
        partition by
            map.person_id,
            reservation.exam_session_id
    ) as registration_key,
    row_number() over (
        partition by
            map.person_id,
            reservation.exam_session_id
        order by
            -- A booking that still stands counts before one that was cancelled.
            reservation.deleted_at is not null,
            reservation.id
    ) = 1 as is_valid_one
from {{ source('svp', 'exam_reservations') }} as reservation
join {{ ref('person_map') }} as map
    on map.source_system = 'svp'
    and map.source_key = reservation.labor_id
