{% test is_positive(model, column_name) %}
    select {{ column_name }} from {{ model }} where {{ column_name }} <= 0
{% endtest %}

{% test has_length(model, column_name, length) %}
    {{ config(severity='warn') }}
    select * from {{ model }} where length({{ column_name }}) <> {{ length }}
{% endtest %}
