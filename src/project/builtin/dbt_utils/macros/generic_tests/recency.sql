{# Fails if the latest time in the field, or in a group, is older than the interval before now. #}

{% test recency(model, field, datepart, interval, ignore_time_component=False, group_by_columns=[]) -%}
    {{ return(adapter.dispatch('test_recency', 'dbt_utils')(model, field, datepart, interval, ignore_time_component, group_by_columns)) }}
{%- endtest %}

{% macro default__test_recency(model, field, datepart, interval, ignore_time_component, group_by_columns) -%}
    {%- set type = 'date' if ignore_time_component else dbt.type_timestamp() -%}
    {%- set threshold = 'cast(' ~ dbt.dateadd(datepart, interval * -1, dbt.current_timestamp()) ~ ' as ' ~ type ~ ')' -%}
    {%- set latest = 'max(' ~ field ~ ')' -%}
    {%- set grouped = group_by_columns | join(', ') %}
    select *
    from (
        select
            {{ grouped ~ ',' if grouped }}
            cast({{ latest }} as {{ type }}) as most_recent,
            {{ threshold }} as threshold
        from {{ model }}
        {{ 'group by ' ~ grouped if grouped }}
    ) as latest
    where most_recent < threshold
{%- endmacro %}
