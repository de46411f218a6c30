{# Fails with each row that one of two relations has and the other has not. #}

{% test equality(model, compare_model, compare_columns=None, exclude_columns=None, precision=None) -%}
    {{ return(adapter.dispatch('test_equality', 'dbt_utils')(model, compare_model, compare_columns, exclude_columns, precision)) }}
{%- endtest %}

{% macro default__test_equality(model, compare_model, compare_columns, exclude_columns, precision) -%}
    {%- if compare_columns and exclude_columns -%}
        {{ exceptions.raise_compiler_error("test equality takes compare_columns or exclude_columns, not both") }}
    {%- endif -%}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- do dbt_utils._is_relation(model, 'test_equality') -%}
    {%- do dbt_utils._is_ephemeral(model, 'test_equality') -%}
    {%- do dbt_utils._is_relation(compare_model, 'test_equality') -%}
    {%- set left_out = (exclude_columns or []) | map('lower') | list -%}
    {%- set wanted = (compare_columns or []) | map('lower') | list -%}
    {%- set own = {} -%}
    {%- for column in adapter.get_columns_in_relation(model) -%}
        {%- set name = column.column | lower -%}
        {%- if name not in left_out and (not wanted or name in wanted) -%}
            {%- do own.update({name: column}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not compare_columns -%}
        {%- do dbt_utils._is_ephemeral(compare_model, 'test_equality') -%}
        {%- set others = [] -%}
        {%- for column in adapter.get_columns_in_relation(compare_model) if column.column | lower not in left_out -%}
            {%- do others.append(column.column | lower) -%}
        {%- endfor -%}
        {%- if own.keys() | sort | list != others | sort | list -%}
            {{ exceptions.raise_compiler_error(
                model ~ " has less columns than " ~ compare_model ~ " or others: name those to compare in compare_columns"
                ~ ", or those to leave out in exclude_columns"
            ) }}
        {%- endif -%}
    {%- endif -%}
    {%- set selected = [] -%}
    {%- for column in own.values() -%}
        {%- set written = adapter.quote(column.column) -%}
        {%- if precision is not none and (column.is_numeric() or column.is_float()) -%}
            {%- do selected.append('round(cast(' ~ written ~ ' as numeric), ' ~ precision ~ ') as ' ~ written) -%}
        {%- else -%}
            {%- do selected.append(written) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set columns = selected | join(', ') %}
    with only_in_model as (
        select {{ columns }} from {{ model }}
        except
        select {{ columns }} from {{ compare_model }}
    ),
    only_in_other as (
        select {{ columns }} from {{ compare_model }}
        except
        select {{ columns }} from {{ model }}
    )
    select 'a_minus_b' as which_diff, only_in_model.* from only_in_model
    union all
    select 'b_minus_a' as which_diff, only_in_other.* from only_in_other
{%- endmacro %}
