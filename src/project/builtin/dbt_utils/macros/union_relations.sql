{# Relations one under the other, columns matched by name. #}

{% macro union_relations(relations, column_override=none, include=[], exclude=[], source_column_name='_dbt_source_relation', where=none) -%}
    {{ return(adapter.dispatch('union_relations', 'dbt_utils')(relations, column_override, include, exclude, source_column_name, where)) }}
{%- endmacro %}

{% macro default__union_relations(relations, column_override, include, exclude, source_column_name, where) -%}
    {%- if include and exclude -%}
        {{ exceptions.raise_compiler_error("union_relations takes include or exclude, not both") }}
    {%- endif -%}
    {#- No server is asked while the project is read. -#}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set overrides = column_override if column_override is not none else {} -%}
    {%- set source_column = source_column_name or '_dbt_source_relation' -%}
    {%- set wanted = include | map('lower') | list -%}
    {%- set unwanted = exclude | map('lower') | list -%}
    {#- The type of each column, in the order in which columns are first met; a longer text type wins. -#}
    {%- set types = {} -%}
    {%- set there = {} -%}
    {%- for relation in relations -%}
        {%- do dbt_utils._is_relation(relation, 'union_relations') -%}
        {%- do dbt_utils._is_ephemeral(relation, 'union_relations') -%}
        {%- set names = [] -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- set name = column.column -%}
            {%- if not (wanted and name | lower not in wanted) and name | lower not in unwanted -%}
                {%- do names.append(name) -%}
                {%- if name not in types -%}
                    {%- do types.update({name: column}) -%}
                {%- elif types[name].can_expand_to(column) -%}
                    {%- do types.update({name: column}) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do there.update({relation | string: names}) -%}
    {%- endfor -%}
    {%- if (include or exclude) and not types -%}
        {{ exceptions.raise_compiler_error("union_relations has no column left: see include and exclude") }}
    {%- endif -%}
    {%- for relation in relations %}
    (
        select
            {%- if source_column_name is not none %}
            cast({{ dbt.string_literal(dbt.escape_single_quotes(relation | string)) }} as {{ dbt.type_string() }}) as {{ source_column }}{{ ',' if types }}
            {%- endif %}
            {%- for name, column in types.items() %}
            {%- set type = overrides.get(name, column.data_type) %}
            cast({{ adapter.quote(name) if name in there[relation | string] else 'null' }} as {{ type }}) as {{ adapter.quote(name) }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ relation }}
        {%- if where %}
        where {{ where }}
        {%- endif %}
    )
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
