-- SVP, skills verification: the schema of the live Rails application.
-- Timestamps are UTC without a zone, enums are integers, and the database knows few foreign keys.

create table schema_migrations (
    version character varying not null,
    constraint schema_migrations_pkey primary key (version)
);

create table occupation_categories (
    id bigserial not null,
    name_en character varying not null,
    name_ar character varying,
    position integer default 0,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint occupation_categories_pkey primary key (id)
);

create table occupations (
    id bigserial not null,
    occupation_category_id bigint,
    code character varying not null,
    title_en character varying not null,
    title_ar character varying,
    level integer,
    fee_cents integer default 0 not null,
    active boolean default true,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint occupations_pkey primary key (id)
);

create table test_centers (
    id bigserial not null,
    parent_id bigint,
    code character varying,
    name character varying not null,
    name_ar character varying,
    country character varying,
    city character varying,
    location point,
    capacity integer,
    settings jsonb default '{}'::jsonb not null,
    deleted_at timestamp(6) without time zone,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint test_centers_pkey primary key (id)
);

create table users (
    id bigserial not null,
    type character varying,
    email character varying default ''::character varying not null,
    full_name character varying,
    encrypted_password character varying default ''::character varying not null,
    sign_in_count integer default 0 not null,
    last_sign_in_at timestamp(6) without time zone,
    last_sign_in_ip inet,
    test_center_id bigint,
    deleted_at timestamp(6) without time zone,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint users_pkey primary key (id)
);

create unique index index_users_on_email on users (email);

create table labors (
    id bigserial not null,
    full_name character varying,
    full_name_ar character varying,
    date_of_birth date,
    gender integer default 0,
    nationality character varying,
    national_id character varying,
    passport_no character varying,
    mobile character varying,
    email character varying,
    occupation_id bigint,
    languages character varying[] default '{}'::character varying[] not null,
    preferences jsonb default '{}'::jsonb not null,
    remarks text,
    deleted_at timestamp(6) without time zone,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint labors_pkey primary key (id)
);

create index index_labors_on_created_at on labors (created_at);
create index index_labors_on_updated_at on labors (updated_at);
create index index_labors_on_national_id on labors (national_id);

create table exam_sessions (
    id bigserial not null,
    test_center_id bigint,
    occupation_id bigint,
    status integer default 0 not null,
    starts_at timestamp(6) without time zone,
    ends_at timestamp(6) without time zone,
    capacity integer,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint exam_sessions_pkey primary key (id)
);

create index index_exam_sessions_on_created_at on exam_sessions (created_at);
create index index_exam_sessions_on_updated_at on exam_sessions (updated_at);

create table exam_reservations (
    id bigserial not null,
    labor_id bigint,
    exam_session_id bigint,
    status integer default 0 not null,
    seat_number character varying,
    notes text,
    reserved_at timestamp(6) without time zone,
    deleted_at timestamp(6) without time zone,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint exam_reservations_pkey primary key (id)
);

create index index_exam_reservations_on_created_at on exam_reservations (created_at);
create index index_exam_reservations_on_updated_at on exam_reservations (updated_at);
create index index_exam_reservations_on_labor_id on exam_reservations (labor_id);

create table exam_results (
    id bigserial not null,
    exam_reservation_id bigint not null,
    outcome integer,
    theory_score numeric(5, 2),
    practical_score numeric(5, 2),
    details jsonb,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint exam_results_pkey primary key (id)
);

create index index_exam_results_on_created_at on exam_results (created_at);
create index index_exam_results_on_updated_at on exam_results (updated_at);
create index index_exam_results_on_exam_reservation_id on exam_results (exam_reservation_id);

create table certificates (
    id bigserial not null,
    type character varying,
    certificate_no character varying,
    labor_id bigint,
    occupation_id bigint,
    exam_result_id bigint,
    status integer default 0 not null,
    issued_at timestamp(6) without time zone,
    expires_at timestamp(6) without time zone,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint certificates_pkey primary key (id)
);

create index index_certificates_on_created_at on certificates (created_at);
create index index_certificates_on_updated_at on certificates (updated_at);

create table invoices (
    id bigserial not null,
    invoice_no character varying,
    labor_id bigint,
    payable_type character varying,
    payable_id bigint,
    currency character varying,
    amount_cents bigint default 0 not null,
    line_items jsonb default '[]'::jsonb not null,
    status integer default 0 not null,
    issued_at timestamp(6) without time zone,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint invoices_pkey primary key (id)
);

create index index_invoices_on_created_at on invoices (created_at);
create index index_invoices_on_updated_at on invoices (updated_at);
create index index_invoices_on_payable on invoices (payable_type, payable_id);

create table payments (
    id bigserial not null,
    invoice_id bigint,
    amount_cents bigint default 0 not null,
    currency character varying,
    method integer,
    status integer default 0 not null,
    gateway character varying,
    gateway_payload jsonb,
    paid_at timestamp(6) without time zone,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null,
    constraint payments_pkey primary key (id)
);

create index index_payments_on_created_at on payments (created_at);
create index index_payments_on_updated_at on payments (updated_at);
create index index_payments_on_invoice_id on payments (invoice_id);

create table versions (
    id bigserial not null,
    item_type character varying not null,
    item_id bigint not null,
    event character varying not null,
    whodunnit character varying,
    object jsonb,
    object_changes jsonb,
    created_at timestamp(6) without time zone,
    constraint versions_pkey primary key (id)
);

create index index_versions_on_created_at on versions (created_at);
create index index_versions_on_item_type_and_item_id on versions (item_type, item_id);

create table active_storage_blobs (
    id bigserial not null,
    key character varying not null,
    filename character varying not null,
    content_type character varying,
    metadata text,
    service_name character varying not null,
    byte_size bigint not null,
    checksum character varying,
    created_at timestamp(6) without time zone not null,
    constraint active_storage_blobs_pkey primary key (id)
);

create unique index index_active_storage_blobs_on_key on active_storage_blobs (key);
create index index_active_storage_blobs_on_created_at on active_storage_blobs (created_at);

create table active_storage_attachments (
    id bigserial not null,
    name character varying not null,
    record_type character varying not null,
    record_id bigint not null,
    blob_id bigint not null,
    created_at timestamp(6) without time zone not null,
    constraint active_storage_attachments_pkey primary key (id),
    constraint fk_rails_active_storage_attachments_blob foreign key (blob_id) references active_storage_blobs (id)
);

create unique index index_active_storage_attachments_uniqueness
    on active_storage_attachments (record_type, record_id, name, blob_id);
create index index_active_storage_attachments_on_blob_id on active_storage_attachments (blob_id);

create table active_storage_variant_records (
    id bigserial not null,
    blob_id bigint not null,
    variation_digest character varying not null,
    constraint active_storage_variant_records_pkey primary key (id),
    constraint fk_rails_active_storage_variant_records_blob foreign key (blob_id) references active_storage_blobs (id)
);

create unique index index_active_storage_variant_records_uniqueness
    on active_storage_variant_records (blob_id, variation_digest);
