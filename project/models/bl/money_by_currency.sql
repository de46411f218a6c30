-- What has been invoiced and paid, for the finance team.
{{ config(materialized='view', schema='reporting') }}
with invoiced as (
    select
        invoice.source_system,
        invoice.currency_code,
        count(*) as invoices,
        sum(invoice.total) as invoiced
    from {{ ref('invoice') }} as invoice
    group by
        invoice.source_system,
        invoice.currency_code
),

paid as (
    select
        payment.source_system,
        payment.currency_code,
        count(*) as payments,
        sum(payment.amount) as paid
    from {{ target.schema }}.payment as payment
    where payment.status = 'captured'
    group by
        payment.source_system,
        payment.currency_code
)

select
    coalesce(invoiced.source_system, paid.source_system) as source_system,
    coalesce(invoiced.currency_code, paid.currency_code) as currency_code,
    coalesce(invoiced.invoices, 0) as invoices,
    coalesce(invoiced.invoiced, 0) as invoiced,
    coalesce(paid.payments, 0) as payments,
    coalesce(paid.paid, 0) as paid
from invoiced
full join paid
    on paid.source_system = invoiced.source_system
    and paid.currency_code = invoiced.currency_code
