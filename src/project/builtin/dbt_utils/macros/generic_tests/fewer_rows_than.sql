{# Fails unless the model, or each group of it, has fewer rows than the other relation; the excess counts as failures. #}

{% test fewer_rows_than(model, compare_model, group_by_columns=[]) -%}
    {{ config(fail_calc='sum(coalesce(row_count_delta, 0))') }}
    {{ return(adapter.dispatch('test_fewer_rows_than', 'dbt_utils')(model, compare_model, group_by_columns)) }}
{%- endtest %}

{% macro default__test_fewer_rows_than(model, compare_model, group_by_columns) -%}
    {{ dbt_utils._row_counts(model, compare_model, group_by_columns) }}
    select
        {% for column in group_by_columns %}{{ column }}, {% endfor %}
        count_a,
        count_b,
        case
            when count_a > count_b then count_a - count_b
            when count_a = count_b then 1
            else 0
        end as row_count_delta
    from counts
{%- endmacro %}
