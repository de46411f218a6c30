select
    id as event_id,
    customer_id,
    url,
    {{ dbt_utils.get_url_host('url') }} as host,
    {{ dbt_utils.get_url_path('url') }} as path,
    {{ dbt_utils.get_url_parameter('url', 'utm_source') }} as utm_source,
    happened_at
from {{ source('site', 'events') }}
