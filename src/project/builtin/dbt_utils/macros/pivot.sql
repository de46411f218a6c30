{# Rows to columns and back. #}

{% macro pivot(column, values, alias=True, agg='sum', cmp='=', prefix='', suffix='', then_value=1, else_value=0, quote_identifiers=True, distinct=False) -%}
    {{ return(adapter.dispatch('pivot', 'dbt_utils')(column, values, alias, agg, cmp, prefix, suffix, then_value, else_value, quote_identifiers, distinct)) }}
{%- endmacro %}

{% macro default__pivot(column, values, alias, agg, cmp, prefix, suffix, then_value, else_value, quote_identifiers, distinct) -%}
    {%- for value in values %}
    {{ agg }}(
        {{- 'distinct ' if distinct }}case when {{ column }} {{ cmp }} '{{ dbt.escape_single_quotes(value | string) }}' then {{ then_value }} else {{ else_value }} end
    )
    {%- if alias %} as {{ adapter.quote(prefix ~ value ~ suffix) if quote_identifiers else dbt_utils.slugify(prefix ~ value ~ suffix) }}
    {%- endif %}
    {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro unpivot(relation=none, cast_to='varchar', exclude=none, remove=none, field_name='field_name', value_name='value', quote_identifiers=False, table=none) -%}
    {{ return(adapter.dispatch('unpivot', 'dbt_utils')(relation, cast_to, exclude, remove, field_name, value_name, quote_identifiers, table)) }}
{%- endmacro %}

{% macro default__unpivot(relation, cast_to, exclude, remove, field_name, value_name, quote_identifiers, table) -%}
    {%- if table -%}
        {{ exceptions.raise_compiler_error("unpivot's argument table is named relation now") }}
    {%- endif -%}
    {%- do dbt_utils._is_relation(relation, 'unpivot') -%}
    {%- do dbt_utils._is_ephemeral(relation, 'unpivot') -%}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set kept = exclude if exclude is not none else [] -%}
    {%- set passed_over = (remove if remove is not none else []) | map('lower') | list
        + kept | map('lower') | list -%}
    {%- set turned = [] -%}
    {%- for column in adapter.get_columns_in_relation(relation) if column.column | lower not in passed_over -%}
        {%- do turned.append(column) -%}
    {%- endfor -%}
    {%- for column in turned %}
    {%- set written = adapter.quote(column.column) if quote_identifiers else column.column %}
    select
        {%- for name in kept %}
        {{ adapter.quote(name) if quote_identifiers else name }},
        {%- endfor %}
        cast('{{ column.column }}' as {{ dbt.type_string() }}) as {{ adapter.quote(field_name) if quote_identifiers else field_name }},
        cast(
            {%- if column.data_type == 'boolean' %} {{ dbt.cast_bool_to_text(written) }}
            {%- else %} {{ written }}
            {%- endif %} as {{ cast_to }}) as {{ adapter.quote(value_name) if quote_identifiers else value_name }}
    from {{ relation }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
