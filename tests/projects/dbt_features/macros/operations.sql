{% macro count_rows(relation_name) -%}
    {%- set relation = adapter.get_relation(database=target.database, schema=target.schema, identifier=relation_name) -%}
    {%- set counted = run_query('select count(*) from ' ~ relation).columns[0].values()[0] -%}
    {{ log(relation_name ~ ' has ' ~ counted ~ ' rows', info=true) }}
    {{ return(counted) }}
{%- endmacro %}
