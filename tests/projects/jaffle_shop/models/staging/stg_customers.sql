with source as (

    {#- Seeds stand in for the tables of a shop; ref() finds them as it finds models. #}
    select * from {{ ref('raw_customers') }}

),

renamed as (

    select
        id as customer_id,
        first_name,
        last_name
    from source

)

select * from renamed
