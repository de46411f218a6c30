{% test row_count_is_between(model, low, high) %}
    select count(*) as counted from {{ model }} having not count(*) between {{ low }} and {{ high }}
{% endtest %}
