-- SVP keeps the lines of an invoice in a jsonb array. Invoices from before that have one line, their whole amount.
{{ config(materialized='ephemeral') }}
select
    invoice.id as invoice_key,
    item.line_number,
    item.content ->> 'title' as title,
    (item.content ->> 'qty')::numeric as quantity,
    (item.content ->> 'unit_cents')::bigint as unit_cents
from {{ source('svp', 'invoices') }} as invoice
cross join lateral jsonb_array_elements(invoice.line_items) with ordinality as item (content, line_number)
union all
select
    invoice.id as invoice_key,
    1 as line_number,
    'Total' as title,
    1 as quantity,
    invoice.amount_cents as unit_cents
from {{ source('svp', 'invoices') }} as invoice
where jsonb_array_length(invoice.line_items) = 0
