{# Fails with each row whose value does not follow the one before by the interval. #}

{% test sequential_values(model, column_name, interval=1, datepart=None, group_by_columns=[]) -%}
    {{ return(adapter.dispatch('test_sequential_values', 'dbt_utils')(model, column_name, interval, datepart, group_by_columns)) }}
{%- endtest %}

{% macro default__test_sequential_values(model, column_name, interval, datepart, group_by_columns) -%}
    {%- set grouped = group_by_columns | join(', ') -%}
    {%- if datepart -%}
        {%- set expected = 'cast(' ~ dbt.dateadd(datepart, interval, 'previous') ~ ' as ' ~ dbt.type_timestamp() ~ ')' -%}
        {%- set found = 'cast(current_value as ' ~ dbt.type_timestamp() ~ ')' -%}
    {%- else -%}
        {%- set expected = 'previous + ' ~ interval -%}
        {%- set found = 'current_value' -%}
    {%- endif %}
    select *
    from (
        select
            {{ grouped ~ ',' if grouped }}
            {{ column_name }} as current_value,
            lag({{ column_name }}) over ({{ 'partition by ' ~ grouped if grouped }} order by {{ column_name }}) as previous
        from {{ model }}
    ) as pairs
    where not {{ found }} = {{ expected }}
{%- endmacro %}
