select
    payment.id,
    payment.currency_code,
    invoice.currency_code as invoice_currency_code
from {{ ref('payment') }} as payment
join {{ ref('invoice') }} as invoice on invoice.id = payment.invoice_id
where payment.currency_code <> invoice.currency_code
