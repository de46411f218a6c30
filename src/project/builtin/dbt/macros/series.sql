{# Rows out of nothing: numbers and periods. #}

{% macro get_powers_of_two(upper_bound) -%}
    {{ return(adapter.dispatch('get_powers_of_two', 'dbt')(upper_bound)) }}
{%- endmacro %}

{% macro default__get_powers_of_two(upper_bound) -%}
    {%- if upper_bound <= 0 -%}
        {{ exceptions.raise_compiler_error("upper bound must be positive") }}
    {%- endif -%}
    {%- for power in range(1, 64) -%}
        {%- if upper_bound <= 2 ** power -%}{{ return(power) }}{%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro generate_series(upper_bound) -%}
    {{ return(adapter.dispatch('generate_series', 'dbt')(upper_bound)) }}
{%- endmacro %}

{% macro default__generate_series(upper_bound) -%}
    {#- As a float, since other databases count by powers of two. #}
    select number::double precision as generated_number
    from pg_catalog.generate_series(1, {{ upper_bound }}) as number
    order by generated_number
{%- endmacro %}

{% macro date_spine(datepart, start_date, end_date) -%}
    {{ return(adapter.dispatch('date_spine', 'dbt')(datepart, start_date, end_date)) }}
{%- endmacro %}

{% macro default__date_spine(datepart, start_date, end_date) -%}
    {#- One row a period, the first at the start; the end is not among them. #}
    {%- set length = '3 month' if datepart == 'quarter' else '1 ' ~ datepart %}
    select {{ start_date }} + (interval '{{ length }}' * period) as date_{{ datepart }}
    from pg_catalog.generate_series(
        0,
        greatest(({{ dbt.datediff(start_date, end_date, datepart) }})::bigint, 1) - 1
    ) as period
    where {{ start_date }} + (interval '{{ length }}' * period) <= {{ end_date }}
{%- endmacro %}
