{# What a query finds, as values of the template. #}

{% macro get_column_values(table, column, order_by='count(*) desc', max_records=none, default=none, where=none) -%}
    {{ return(adapter.dispatch('get_column_values', 'dbt_utils')(table, column, order_by, max_records, default, where)) }}
{%- endmacro %}

{% macro default__get_column_values(table, column, order_by, max_records, default, where) -%}
    {%- if not execute -%}{{ return(default if default is not none else []) }}{%- endif -%}
    {%- do dbt_utils._is_ephemeral(table, 'get_column_values') -%}
    {%- set relation = adapter.get_relation(database=table.database, schema=table.schema, identifier=table.identifier) -%}
    {%- if relation is none -%}
        {%- if default is none -%}
            {{ exceptions.raise_compiler_error("get_column_values: relation " ~ table ~ " does not exist, and no default is given") }}
        {%- endif -%}
        {%- do log("get_column_values: relation " ~ table ~ " does not exist, the default is taken") -%}
        {{ return(default) }}
    {%- endif -%}
    {%- set query -%}
        select {{ column }} as value
        from {{ table }}
        {% if where is not none %}where {{ where }}{% endif %}
        group by {{ column }}
        order by {{ order_by }}
        {% if max_records is not none %}limit {{ max_records }}{% endif %}
    {%- endset -%}
    {%- set values = run_query(query).columns[0].values() | list -%}
    {{ return(values if values or default is none else default) }}
{%- endmacro %}

{% macro get_query_results_as_dict(query) -%}
    {{ return(adapter.dispatch('get_query_results_as_dict', 'dbt_utils')(query)) }}
{%- endmacro %}

{% macro default__get_query_results_as_dict(query) -%}
    {%- set columns = {} -%}
    {%- if execute -%}
        {%- for column in run_query(query).columns -%}
            {%- do columns.update({column.name: column.values()}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns) }}
{%- endmacro %}

{% macro get_single_value(query, default=none) -%}
    {{ return(adapter.dispatch('get_single_value', 'dbt_utils')(query, default)) }}
{%- endmacro %}

{% macro default__get_single_value(query, default) -%}
    {%- if not execute -%}{{ return(default) }}{%- endif -%}
    {%- set answer = run_query(query) -%}
    {%- if answer is none or answer.rows | length == 0 or answer.columns[0].values()[0] is none -%}
        {{ return(default) }}
    {%- endif -%}
    {{ return(answer.columns[0].values()[0]) }}
{%- endmacro %}
