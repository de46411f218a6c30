-- A payment without a currency was made in that of its invoice.
select
    {{ target_id('qvp', 'payment.id') }} as id,
    'qvp'::unipacc.source_system as source_system,
    invoice.id as invoice_id,
    payment.amount,
    coalesce(alias.code, invoice.currency_code) as currency_code,
    coalesce(method.target_label, 'other')::unipacc.payment_method as method,
    coalesce(status.target_label, 'pending')::unipacc.payment_status as status,
    payment.gateway_reference,
    payment.gateway_response,
    payment.paid_at
from {{ source('qvp', 'payments') }} as payment
join {{ ref('invoice') }} as invoice on invoice.id = {{ target_id('qvp', 'payment.invoice_id') }}
left join {{ ref('currency_aliases') }} as alias on alias.alias = upper(btrim(payment.currency))
left join {{ ref('qvp_labels') }} as method
    on method.list = 'payment_method'
    and method.label = {{ clean_code('payment.method') }}
left join {{ ref('qvp_labels') }} as status
    on status.list = 'payment_status'
    and status.label = {{ clean_code('payment.status') }}
union all
select
    {{ target_id('svp', 'payment.id') }} as id,
    'svp'::unipacc.source_system as source_system,
    invoice.id as invoice_id,
    {{ money('payment.amount_cents', 'currency.minor_units') }} as amount,
    currency.code as currency_code,
    coalesce(method.target_label, 'other')::unipacc.payment_method as method,
    coalesce(status.target_label, 'pending')::unipacc.payment_status as status,
    payment.gateway_payload ->> 'ref' as gateway_reference,
    payment.gateway_payload as gateway_response,
    {{ at_utc('payment.paid_at') }} as paid_at
from {{ source('svp', 'payments') }} as payment
join {{ ref('invoice') }} as invoice on invoice.id = {{ target_id('svp', 'payment.invoice_id') }}
left join {{ ref('currency_aliases') }} as alias on alias.alias = upper(btrim(payment.currency))
join {{ ref('currency') }} as currency on currency.code = coalesce(alias.code, invoice.currency_code)
left join {{ ref('svp_codes') }} as method
    on method.enumeration = 'payment_method'
    and method.code = payment.method
left join {{ ref('svp_codes') }} as status
    on status.enumeration = 'payment_status'
    and status.code = payment.status
