{{ config(tags=['pii', 'nightly']) }}
select id from {{ source('crm', 'contacts') }}
