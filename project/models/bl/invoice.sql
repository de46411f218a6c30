-- Every invoice comes along, whoever it was for: the sums of both systems must still add up.
with candidate as (
    select
        {{ target_id('qvp', 'invoice.id') }} as id,
        'qvp' as source_system,
        invoice.invoice_number,
        map.person_id,
        currency.code as currency_code,
        invoice.total,
        invoice.state as status,
        invoice.issued_at,
        {{ date_within('invoice.due_on', '2000-01-01', '2099-12-31') }} as due_on,
        invoice.created_at
    from {{ source('qvp', 'invoices') }} as invoice
    left join {{ ref('currency_aliases') }} as alias on alias.alias = upper(btrim(invoice.currency))
    join {{ ref('currency') }} as currency on currency.code = coalesce(alias.code, 'SAR')
    left join {{ ref('person_map') }} as map
        on map.source_system = 'qvp'
        and map.source_key = invoice.applicant_id
    union all
    select
        {{ target_id('svp', 'invoice.id') }} as id,
        'svp' as source_system,
        coalesce(nullif(btrim(invoice.invoice_no), ''), 'S-ID-' || invoice.id) as invoice_number,
        map.person_id,
        currency.code as currency_code,
        {{ money('invoice.amount_cents', 'currency.minor_units') }} as total,
        coalesce(status.target_label, 'draft') as status,
        {{ at_utc('invoice.issued_at') }} as issued_at,
        null::date as due_on,
        {{ at_utc('invoice.created_at') }} as created_at
    from {{ source('svp', 'invoices') }} as invoice
    left join {{ ref('currency_aliases') }} as alias on alias.alias = upper(btrim(invoice.currency))
    join {{ ref('currency') }} as currency on currency.code = coalesce(alias.code, 'SAR')
    left join {{ ref('person_map') }} as map
        on map.source_system = 'svp'
        and map.source_key = invoice.labor_id
    left join {{ ref('svp_codes') }} as status
        on status.enumeration = 'invoice_status'
        and status.code = invoice.status
)

select
    candidate.id,
    candidate.source_system::unipacc.source_system as source_system,
    case
        when count(*) over (partition by candidate.invoice_number) > 1
            then candidate.invoice_number || '-' || candidate.id
        else candidate.invoice_number
    end as invoice_number,
    person.id as person_id,
    candidate.currency_code,
    candidate.total,
    candidate.status::unipacc.invoice_status as status,
    candidate.issued_at,
    candidate.due_on,
    candidate.created_at
from candidate
left join {{ ref('person') }} as person on person.id = candidate.person_id
