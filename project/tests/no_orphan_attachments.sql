-- owner_id has no foreign key, so it is checked here.
{% set owners = ['certificate', 'exam_registration', 'invoice', 'person', 'qualification', 'verification_request'] %}
select
    attachment.stored_file_id,
    attachment.owner_type,
    attachment.owner_id
from {{ ref('attachment') }} as attachment
{% for name in owners %}
left join {{ ref(name) }} as {{ name }}
    on attachment.owner_type = '{{ name }}'
    and {{ name }}.id = attachment.owner_id
{% endfor %}
where coalesce(
    {% for name in owners %}
    {{ name }}.id,
    {% endfor %}
    null
) is null
