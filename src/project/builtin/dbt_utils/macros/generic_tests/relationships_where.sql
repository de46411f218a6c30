{# Fails with each value, among the rows of the condition, that the other relation's field has not. #}

{% test relationships_where(model, column_name, to, field, from_condition='1=1', to_condition='1=1') -%}
    {{ return(adapter.dispatch('test_relationships_where', 'dbt_utils')(model, column_name, to, field, from_condition, to_condition)) }}
{%- endtest %}

{% macro default__test_relationships_where(model, column_name, to, field, from_condition, to_condition) -%}
    select own.id, other.id as right_id
    from (
        select {{ column_name }} as id
        from {{ model }}
        where {{ column_name }} is not null and ({{ from_condition }})
    ) as own
    left join (
        select {{ field }} as id
        from {{ to }}
        where {{ field }} is not null and ({{ to_condition }})
    ) as other on own.id = other.id
    where other.id is null
{%- endmacro %}
