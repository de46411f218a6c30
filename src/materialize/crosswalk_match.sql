-- name: create_nodes
create temporary table unimig_nodes (
    node bigint primary key,
    member text not null,
    source_key text not null,
    target_id {{ id_type }},
    allocated_at timestamptz
) on commit drop

-- name: fill_nodes
insert into pg_temp.unimig_nodes
select
    (select coalesce(max(node), -1) from pg_temp.unimig_nodes) + row_number() over (order by {{ keys | inline("every") }}),
    {{ member }},
    {{ key_text }},
    known.target_id,
    known._allocated_at
from (
    select {{ keys | inline }} from {{ live }} where num_nulls({{ keys | inline }}) = 0
    union
    select {{ keys | inline }} from {{ table }}
) as every
left join {{ table }} as known using ({{ keys | inline }})

-- name: index_nodes
create unique index on pg_temp.unimig_nodes (member, source_key);
analyze pg_temp.unimig_nodes

-- name: known_ids
select
    node,
    (dense_rank() over (order by first_at, target_id))::bigint as id,
    (extract(epoch from allocated_at) * 1000000)::bigint as age
from (
    select
        node,
        target_id,
        allocated_at,
        min(allocated_at) over (partition by target_id) as first_at
    from pg_temp.unimig_nodes
    where target_id is not null
) as known
order by node

-- name: groups
select array_agg(node order by node) as nodes
from (
{% for side in sides %}
{% if not loop.first %}
    union all
{% endif %}
    select
        nodes.node,
{% for place in places %}
        valued.unimig_value_{{ place }}{% if not loop.last %},{% endif %}

{% endfor %}
    from (
        select
            {{ side.key_text }} as unimig_key,
{% for expression in side.expressions %}
            nullif(({{ expression }})::text, '') as unimig_value_{{ loop.index }}{% if not loop.last %},{% endif %}

{% endfor %}
        from {{ side.live }} as live
        where num_nulls({{ side.keys | inline("live") }}) = 0
    ) as valued
    join pg_temp.unimig_nodes as nodes on nodes.member = {{ side.member }}
        and nodes.source_key = valued.unimig_key
{% endfor %}
) as matched
where num_nulls({% for place in places %}unimig_value_{{ place }}{% if not loop.last %}, {% endif %}{% endfor %}) = 0
group by
{% for place in places %}
    unimig_value_{{ place }}{% if not loop.last %},{% endif %}

{% endfor %}
having count(distinct node) > 1
order by min(node)

-- name: verdicts
select
    left_node.node,
    right_node.node,
    lower(trim(verdict.verdict::text)) as verdict,
    verdict.left_source::text = any($1) and verdict.right_source::text = any($1) as is_known
from {{ seed }} as verdict
left join pg_temp.unimig_nodes as left_node on left_node.member = verdict.left_source::text
    and left_node.source_key = verdict.left_key::text
left join pg_temp.unimig_nodes as right_node on right_node.member = verdict.right_source::text
    and right_node.source_key = verdict.right_key::text
order by
    left_node.node,
    right_node.node

-- name: known_links
select
    left_node.node,
    right_node.node
from unimig.crosswalk_link as link
join pg_temp.unimig_nodes as left_node on left_node.member = link.left_member
    and left_node.source_key = link.left_key
join pg_temp.unimig_nodes as right_node on right_node.member = link.right_member
    and right_node.source_key = link.right_key
where link.crosswalk = $1
order by
    link.linked_at,
    left_node.node,
    right_node.node

-- name: create_clusters
create temporary table unimig_clusters (
    node bigint primary key,
    anchor bigint not null,
    -- A row that has the id which the cluster keeps.
    keeper bigint,
    target_id {{ id_type }}
) on commit drop

-- name: fill_clusters
insert into pg_temp.unimig_clusters (
    node,
    anchor,
    keeper
)
select
    node,
    anchor,
    nullif(keeper, -1)
from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as cluster (node, anchor, keeper)

-- name: new_ids
with allocated as materialized (
    select
        anchor,
        (nextval({{ sequence }}))::{{ id_type }} as target_id
    from (
        select distinct anchor
        from pg_temp.unimig_clusters
        where keeper is null
        order by anchor
    ) as fresh
)
update pg_temp.unimig_clusters as clusters set
    target_id = allocated.target_id
from allocated
where clusters.keeper is null
    and clusters.anchor = allocated.anchor

-- name: kept_ids
update pg_temp.unimig_clusters as clusters set
    target_id = nodes.target_id
from pg_temp.unimig_nodes as nodes
where clusters.keeper = nodes.node

-- name: taken
select
    count(*)
from (
    select distinct target_id
    from pg_temp.unimig_clusters
    where keeper is null
) as fresh
where exists (
        select
        from {{ target }} as target
        where target.{{ column }} = fresh.target_id
    )
    or exists (
        select
        from pg_temp.unimig_nodes as nodes
        where nodes.target_id = fresh.target_id
    )

-- name: insert_ids
insert into {{ table }} (
{{ keys | lines }},
    target_id
)
select
{{ keys | lines("fresh") }},
    clusters.target_id
from (
    select distinct {{ keys | inline }}
    from {{ live }}
    where num_nulls({{ keys | inline }}) = 0
) as fresh
join pg_temp.unimig_nodes as nodes on nodes.member = {{ member }}
    and nodes.source_key = {{ key_text }}
join pg_temp.unimig_clusters as clusters on clusters.node = nodes.node
where nodes.target_id is null
order by {{ keys | inline("fresh") }}
on conflict ({{ keys | inline }}) do nothing

-- name: change_ids
with changed as (
    update {{ table }} as known set
        target_id = clusters.target_id
    from pg_temp.unimig_nodes as nodes
    join pg_temp.unimig_clusters as clusters on clusters.node = nodes.node
    where nodes.member = {{ member }}
        and nodes.source_key = {{ known_key_text }}
        and nodes.target_id <> clusters.target_id
    returning
        nodes.source_key,
        nodes.target_id as old_id,
        clusters.target_id as new_id
)
insert into unimig.crosswalk_change (
    crosswalk,
    member,
    source_key,
    old_id,
    new_id
)
select
    {{ crosswalk }},
    {{ member }},
    source_key,
    old_id::text,
    new_id::text
from changed

-- name: keep_links
insert into unimig.crosswalk_link (
    crosswalk,
    left_member,
    left_key,
    right_member,
    right_key,
    rule
)
select
    $1,
    left_node.member,
    left_node.source_key,
    right_node.member,
    right_node.source_key,
    nullif(link.rule, '')
from unnest($2::bigint[], $3::bigint[], $4::text[]) as link (left_node, right_node, rule)
join pg_temp.unimig_nodes as left_node on left_node.node = link.left_node
join pg_temp.unimig_nodes as right_node on right_node.node = link.right_node
on conflict do nothing

-- name: evidence
select
    {{ key_text }} as source_key,
    array[
{% for expression in expressions %}
        ({{ expression }})::text{% if not loop.last %},{% endif %}

{% endfor %}
    ] as shown
from {{ live }} as live
where {{ key_text }} = any($1)

-- name: members_of
select
    member,
    source_key
from {{ view }}
where target_id::text = $1
order by
    member,
    source_key
