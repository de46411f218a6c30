select
    invoice.id,
    invoice.total,
    coalesce(sum(line.amount), 0) as line_total
from {{ ref('invoice') }} as invoice
left join {{ ref('invoice_line') }} as line on line.invoice_id = invoice.id
group by
    invoice.id,
    invoice.total
having coalesce(sum(line.amount), 0) <> invoice.total
