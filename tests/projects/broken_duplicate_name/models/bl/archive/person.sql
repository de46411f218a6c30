{{ config(alias='archived_person') }}
select 1 as id
