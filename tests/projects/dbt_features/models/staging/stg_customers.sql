with source as (
    select * from {{ ref('raw_customers') }}
),

renamed as (
    select
        id as customer_id,
        trim(first_name) as first_name,
        last_name,
        {{ initials('first_name', 'last_name') }} as initials,
        country as country_code,
        joined_on,
        coalesce(vip, false) as is_vip,
        score
    from source
)

select * from renamed
