{% test is_code(model, column_name) %}
    select {{ column_name }} from {{ model }} where length({{ column_name }}) <> {{ money.hundred() }} - 97
{% endtest %}
