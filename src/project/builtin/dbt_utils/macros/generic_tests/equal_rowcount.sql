{# Fails if two relations, or groups of them, differ in their number of rows; the difference counts as failures. #}

{% test equal_rowcount(model, compare_model, group_by_columns=[]) -%}
    {{ config(fail_calc='sum(coalesce(diff_count, 0))') }}
    {{ return(adapter.dispatch('test_equal_rowcount', 'dbt_utils')(model, compare_model, group_by_columns)) }}
{%- endtest %}

{% macro default__test_equal_rowcount(model, compare_model, group_by_columns) -%}
    {{ dbt_utils._row_counts(model, compare_model, group_by_columns) }}
    select
        {% for column in group_by_columns %}{{ column }}, {% endfor %}
        count_a,
        count_b,
        abs(count_a - count_b) as diff_count
    from counts
{%- endmacro %}

{% macro _row_counts(model, compare_model, group_by_columns) -%}
    {#- One row a group, or one in all. -#}
    {%- set grouped = group_by_columns | join(', ') %}
    with first_counts as (
        select {{ grouped ~ ', ' if grouped }}1 as whole, count(*) as counted
        from {{ model }}
        group by {{ grouped ~ ', ' if grouped }}whole
    ),
    second_counts as (
        select {{ grouped ~ ', ' if grouped }}1 as whole, count(*) as counted
        from {{ compare_model }}
        group by {{ grouped ~ ', ' if grouped }}whole
    ),
    counts as (
        select
            {{ grouped ~ ', ' if grouped }}
            coalesce(first_counts.counted, 0) as count_a,
            coalesce(second_counts.counted, 0) as count_b
        from first_counts
        full join second_counts using ({{ grouped ~ ', ' if grouped }}whole)
    )
{%- endmacro %}
