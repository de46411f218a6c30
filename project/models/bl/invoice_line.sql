{{ config(materialized='merge', unique_key=['invoice_id', 'line_number'], deletes='hard') }}
select
    invoice.id as invoice_id,
    line.line_number,
    line.description,
    line.quantity,
    line.unit_price,
    line.amount
from {{ source('qvp', 'invoice_lines') }} as line
join {{ ref('invoice') }} as invoice on invoice.id = {{ target_id('qvp', 'line.invoice_id') }}
union all
select
    invoice.id as invoice_id,
    item.line_number,
    coalesce({{ clean_text('item.title') }}, 'Fee') as description,
    item.quantity,
    {{ money('item.unit_cents', 'currency.minor_units') }} as unit_price,
    {{ money('item.quantity * item.unit_cents', 'currency.minor_units') }} as amount
from {{ ref('svp_invoice_item') }} as item
join {{ ref('invoice') }} as invoice on invoice.id = {{ target_id('svp', 'item.invoice_key') }}
join {{ ref('currency') }} as currency on currency.code = invoice.currency_code
