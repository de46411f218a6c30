{%- set highest = dbt_utils.get_single_value("select max(payment_id) from " ~ ref('stg_payments'), 0) -%}
{%- set found = dbt_utils.get_query_results_as_dict("select method, count(*)::int as n from " ~ ref('stg_payments') ~ " group by 1 order by 1") -%}
{%- set columns = dbt_utils.get_filtered_columns_in_relation(ref('stg_payments'), except=['amount']) -%}
select
    s.generated_number,
    {{ dbt_utils.safe_add(['s.generated_number', 'p.amount']) }} as added,
    {{ dbt_utils.safe_subtract(['s.generated_number', 'p.payment_id']) }} as subtracted,
    {{ dbt_utils.safe_divide('p.amount', 's.generated_number - 3') }} as divided,
    {{ dbt_utils.width_bucket('s.generated_number', 1, 10, 3) }} as bucket,
    round(cast({{ dbt_utils.haversine_distance(24.7, 46.7, 's.generated_number', 39.2, unit='km') }} as numeric), 6) as km,
    {{ highest }} as highest,
    '{{ found.get("method", []) | join(",") }}' as methods,
    '{{ columns | join(",") }}' as columns_found,
    '{{ dbt_utils.slugify("1 Some-Text (new)!") }}' as slug,
    {{ dbt_utils.get_intervals_between("date '2024-01-01'", "date '2024-03-01'", 'month') }} as months
from ({{ dbt_utils.generate_series(6) }}) as s
left join {{ ref('stg_payments') }} as p on p.payment_id = s.generated_number
