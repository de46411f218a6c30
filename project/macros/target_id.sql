{# The key in UniPACC of a row of a source. The last digit says which source it came from, so keys never collide. #}
{% macro target_id(source_system, source_key) -%}
({{ source_key }}::bigint * 10 + {% if source_system == 'qvp' %}1{% else %}2{% endif %})
{%- endmacro %}
