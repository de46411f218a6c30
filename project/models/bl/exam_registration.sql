with result as (
    select distinct on (exam_result.exam_reservation_id)
        exam_result.exam_reservation_id,
        exam_result.outcome,
        exam_result.theory_score,
        exam_result.practical_score
    from {{ source('svp', 'exam_results') }} as exam_result
    order by
        exam_result.exam_reservation_id,
        exam_result.id desc
)

select
    {{ target_id('svp', 'registration.registration_key') }} as id,
    person.id as person_id,
    session.id as exam_session_id,
    case
        when reservation.deleted_at is not null then 'cancelled'
        else coalesce(outcome.target_label, status.target_label, 'booked')
    end::unipacc.registration_status as status,
    {{ clean_text('reservation.seat_number') }} as seat_number,
    {{ clean_text('reservation.notes') }} as notes,
    case when result.theory_score between 0 and 100 then result.theory_score end as theory_score,
    case when result.practical_score between 0 and 100 then result.practical_score end as practical_score,
    {{ at_utc('coalesce(reservation.reserved_at, reservation.created_at)') }} as reserved_at
from {{ source('svp', 'exam_reservations') }} as reservation
join {{ ref('svp_registration_map') }} as registration
    on registration.reservation_key = reservation.id
    and registration.is_valid_one
join {{ ref('person') }} as person on person.id = registration.person_id
join {{ ref('exam_session') }} as session on session.id = {{ target_id('svp', 'reservation.exam_session_id') }}
left join result on result.exam_reservation_id = reservation.id
left join {{ ref('svp_codes') }} as outcome
    on outcome.enumeration = 'exam_result_outcome'
    and outcome.code = result.outcome
left join {{ ref('svp_codes') }} as status
    on status.enumeration = 'reservation_status'
    and status.code = reservation.status
