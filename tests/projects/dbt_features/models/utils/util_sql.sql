select
    c.country_code,
    {{ dbt.concat(["min(c.first_name)", "'-'", "max(c.last_name)"]) }} as both_names,
    {{ dbt.listagg('c.first_name', "' & '", 'order by c.first_name', 2) }} as two_names,
    {{ dbt.any_value('c.country_code') }} as any_code,
    {{ dbt.bool_or('c.is_vip') }} as some_vip,
    {{ dbt.cast_bool_to_text('bool_and(c.is_vip)') }} as all_vip,
    {{ dbt.safe_cast("'12'", dbt.type_int()) }} as twelve,
    {{ dbt.cast('sum(c.score)', dbt.type_numeric()) }} as score,
    {{ dbt.length("min(c.last_name)") }} as name_length,
    {{ dbt.position("'a'", "min(c.last_name)") }} as a_at,
    {{ dbt.replace("min(c.last_name)", "'a'", "'_'") }} as replaced,
    {{ dbt.right("min(c.last_name)", 2) }} as ending,
    {{ dbt.split_part("'x/y/z'", "'/'", 2) }} as second_part,
    {{ dbt.split_part("'x/y/z'", "'/'", -1) }} as last_part,
    {{ dbt.string_literal(dbt.escape_single_quotes("it's")) }} as literal,
    {{ dbt.array_construct([1, 2]) }} as numbers,
    {{ dbt.array_append(dbt.array_construct([1]), 2) }} as more_numbers,
    cast(null as {{ dbt.type_timestamp() }}) as no_time,
    cast(1 as {{ dbt.type_float() }}) as a_float,
    cast(1 as {{ type_bigint() }}) as a_bigint,
    cast('t' as {{ type_boolean() }}) as a_boolean
from {{ ref('stg_customers') }} as c
where c.customer_id in (
    select customer_id from {{ ref('stg_customers') }}
    {{ dbt.except() }}
    select 6
)
group by c.country_code
