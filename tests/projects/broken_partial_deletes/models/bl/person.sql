{{ config(unique_key='id', deletes='hard') }}
select id, full_name
from {{ source('svp', 'labors') }}
{% if is_incremental() %}
where updated_at > now() - interval '1 day'
{% endif %}
