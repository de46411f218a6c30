{# Fails with each of the given values that the column has. #}

{% test not_accepted_values(model, column_name, values, quote=True) -%}
    {{ return(adapter.dispatch('test_not_accepted_values', 'dbt_utils')(model, column_name, values, quote)) }}
{%- endtest %}

{% macro default__test_not_accepted_values(model, column_name, values, quote) -%}
    {%- set listed = [] -%}
    {%- for value in values -%}
        {%- do listed.append("'" ~ value ~ "'" if quote else value | string) -%}
    {%- endfor %}
    select distinct {{ column_name }} as value_field
    from {{ model }}
    where {{ column_name }} in ({{ listed | join(', ') }})
{%- endmacro %}
