select currency, rate, '{{ var("rates_from") }}'::date as rates_from
from {{ ref('rates') }}
where currency = '{{ var("currency") }}'
