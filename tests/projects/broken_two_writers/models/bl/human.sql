{{ config(alias='person') }}
select 1 as id
