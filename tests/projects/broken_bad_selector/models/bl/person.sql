select id from {{ source('svp', 'labors') }}
