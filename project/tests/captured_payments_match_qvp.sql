-- Every payment that QVP has captured has arrived, with its amount.
select
    payment.id,
    payment.amount as source_amount,
    target_payment.amount as target_amount
from {{ source('qvp', 'payments') }} as payment
left join {{ ref('payment') }} as target_payment
    on target_payment.id = {{ target_id('qvp', 'payment.id') }}
    and target_payment.status = 'captured'
where payment.status = 'captured'
    and target_payment.amount is distinct from payment.amount
