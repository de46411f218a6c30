{%- set parts = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'] -%}
select
    o.order_id,
    {% for part in parts -%}
    {{ dbt.datediff("timestamp '2023-12-31 23:59:59.5'", 'o.ordered_at', part) }} as {{ part }}s,
    {% endfor -%}
    {{ dbt.dateadd('month', 1, 'o.ordered_at') }} as next_month,
    {{ dbt.dateadd(datepart='day', interval=-3, from_date_or_timestamp='o.ordered_at') }} as before,
    {{ dbt.last_day('o.ordered_at', 'month') }} as month_end,
    {{ dbt.last_day('o.ordered_at', 'quarter') }} as quarter_end,
    {{ dbt.date(2024, 2, 29) }} as leap_day,
    {{ dbt.date_trunc('week', 'o.ordered_at') }} as week_start
from {{ ref('stg_orders') }} as o
