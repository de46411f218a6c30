{# The columns of a relation, listed. #}

{% macro get_filtered_columns_in_relation(from, except=[]) -%}
    {{ return(adapter.dispatch('get_filtered_columns_in_relation', 'dbt_utils')(from, except)) }}
{%- endmacro %}

{% macro default__get_filtered_columns_in_relation(from, except) -%}
    {%- do dbt_utils._is_relation(from, 'get_filtered_columns_in_relation') -%}
    {%- do dbt_utils._is_ephemeral(from, 'get_filtered_columns_in_relation') -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set left_out = except | map('lower') | list -%}
    {%- set kept = [] -%}
    {%- for column in adapter.get_columns_in_relation(from) if column.column | lower not in left_out -%}
        {%- do kept.append(column.column) -%}
    {%- endfor -%}
    {{ return(kept) }}
{%- endmacro %}

{% macro star(from, relation_alias=False, except=[], prefix='', suffix='', quote_identifiers=True) -%}
    {{ return(adapter.dispatch('star', 'dbt_utils')(from, relation_alias, except, prefix, suffix, quote_identifiers)) }}
{%- endmacro %}

{% macro default__star(from, relation_alias, except, prefix, suffix, quote_identifiers) -%}
    {%- do dbt_utils._is_relation(from, 'star') -%}
    {%- do dbt_utils._is_ephemeral(from, 'star') -%}
    {#- No server is asked while the project is read. -#}
    {%- if not execute -%}{{ return('*') }}{%- endif -%}
    {%- set columns = dbt_utils.get_filtered_columns_in_relation(from, except) -%}
    {%- if not columns -%}
        {{ return('/* star() gives no column of ' ~ from ~ ' */') }}
    {%- endif -%}
    {%- set listed = [] -%}
    {%- for column in columns -%}
        {%- set written = adapter.quote(column) if quote_identifiers else column -%}
        {%- set named = prefix ~ column ~ suffix -%}
        {%- set item = (relation_alias ~ '.' if relation_alias else '') ~ written -%}
        {%- if prefix or suffix -%}
            {%- set item = item ~ ' as ' ~ (adapter.quote(named) if quote_identifiers else named) -%}
        {%- endif -%}
        {%- do listed.append(item) -%}
    {%- endfor -%}
    {{ return(listed | join(',\n    ')) }}
{%- endmacro %}
