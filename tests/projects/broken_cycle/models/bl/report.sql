select id from {{ ref('person') }}
