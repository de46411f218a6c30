{# Fails with each value that does not stand equally often in two columns. #}

{% test cardinality_equality(model, column_name, to, field) -%}
    {{ return(adapter.dispatch('test_cardinality_equality', 'dbt_utils')(model, column_name, to, field)) }}
{%- endtest %}

{% macro default__test_cardinality_equality(model, column_name, to, field) -%}
    with own as (
        select {{ column_name }} as value, count(*) as counted
        from {{ model }}
        group by {{ column_name }}
    ),
    other as (
        select {{ field }} as value, count(*) as counted
        from {{ to }}
        group by {{ field }}
    )
    (select * from own except select * from other)
    union
    (select * from other except select * from own)
{%- endmacro %}
