-- What was invoiced is the same to the last coin, in each system and currency, before and after.
with invoice_at_source as (
    select
        'qvp' as source_system,
        coalesce(alias.code, 'SAR') as currency_code,
        invoice.total
    from {{ source('qvp', 'invoices') }} as invoice
    left join {{ ref('currency_aliases') }} as alias on alias.alias = upper(btrim(invoice.currency))
    union all
    select
        'svp',
        currency.code,
        invoice.amount_cents / 10.0 ^ currency.minor_units
    from {{ source('svp', 'invoices') }} as invoice
    left join {{ ref('currency_aliases') }} as alias on alias.alias = upper(btrim(invoice.currency))
    join {{ ref('currency_codes') }} as currency on currency.code = coalesce(alias.code, 'SAR')
),

source_sum as (
    select
        invoice_at_source.source_system,
        invoice_at_source.currency_code,
        count(*) as invoices,
        sum(invoice_at_source.total) as total
    from invoice_at_source
    group by
        invoice_at_source.source_system,
        invoice_at_source.currency_code
),

target_sum as (
    select
        invoice.source_system::text as source_system,
        invoice.currency_code::text as currency_code,
        count(*) as invoices,
        sum(invoice.total) as total
    from {{ ref('invoice') }} as invoice
    group by
        invoice.source_system,
        invoice.currency_code
)

select
    coalesce(source_sum.source_system, target_sum.source_system) as source_system,
    coalesce(source_sum.currency_code, target_sum.currency_code) as currency_code,
    source_sum.invoices as source_invoices,
    target_sum.invoices as target_invoices,
    source_sum.total as source_total,
    target_sum.total as target_total
from source_sum
full join target_sum
    on target_sum.source_system = source_sum.source_system
    and target_sum.currency_code = source_sum.currency_code
where source_sum.invoices is distinct from target_sum.invoices
    or source_sum.total is distinct from target_sum.total
