select
    currency.code,
    currency.name,
    currency.minor_units
from {{ ref('currency_codes') }} as currency
