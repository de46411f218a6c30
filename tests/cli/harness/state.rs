//! What a target holds, in two senses: its rows, and every physical trace of a write.

use crate::harness::Test;

/// Permanent tables of the target that are not the tool's memory.
const TABLES: &str = "
    select format('%I.%I', namespace.nspname, class.relname)
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.relkind = 'r'
        and namespace.nspname not in ('pg_catalog', 'information_schema', 'unimig')
        and namespace.nspname not like 'pg\\_%'
    order by 1";

/// How often each table was ever written, also by transactions that were rolled back.
const WRITES: &str = "
    select format('%I.%I', schemaname, relname), relid::regclass::oid, n_tup_ins, n_tup_upd, n_tup_del
    from pg_stat_user_tables
    where schemaname not in ('unimig')
    order by 1";

impl Test {
    /// A digest of a relation's rows, in any order; the columns that unimig adds to staging count as live or not.
    pub fn rows_digest(&self, relation: &str) -> String {
        self.digest_where(relation, "true")
    }

    fn digest_where(&self, relation: &str, condition: &str) -> String {
        let session = self.session("target");
        let columns = session.rows(&format!(
            "select coalesce(string_agg(case attname
                when '_deleted_at' then '_deleted_at is not null'
                else quote_ident(attname)
            end, ', ' order by attnum), 'null')
            from pg_attribute
            where attrelid = '{relation}'::regclass
                and attnum > 0
                and not attisdropped
                and attname not in ('_inserted_at', '_updated_at', '_batch_id')"
        ));
        let columns = &columns[0];
        let digest = session.rows(&format!(
            "select count(*) || ' rows ' || md5(coalesce(string_agg(image, E'\\n' order by image collate \"C\"), ''))
            from (select row({columns})::text as image from {relation} where {condition}) as images"
        ));
        digest[0].clone()
    }

    pub fn tables(&self) -> Vec<String> {
        self.query_target(TABLES)
    }

    /// What two targets must have in common to be in the same state.
    pub fn state(&self) -> Vec<String> {
        let tables = self.tables();
        tables.iter().map(|table| format!("{table}: {}", self.rows_digest(table))).collect()
    }

    /// The same without tombstones: a target that never saw a row has none of it.
    pub fn live_state(&self) -> Vec<String> {
        let has_tombstones = "exists (select from pg_attribute where attname = '_deleted_at' and attrelid = ";
        let tables = self.tables().into_iter().map(|table| {
            let is_staging = self.value(&format!("select {has_tombstones} '{table}'::regclass)")) == "t";
            let digest = self.digest_where(&table, if is_staging { "_deleted_at is null" } else { "true" });
            format!("{table}: {digest}")
        });
        tables.collect()
    }

    /// Everything by which a write to a permanent table can be known: files, tuples' places and transactions, counters.
    pub fn physical_state(&self) -> Vec<String> {
        self.wait_until_quiet();
        let session = self.session("target");
        let mut lines = session.rows(WRITES);
        for table in session.rows(TABLES) {
            lines.extend(session.rows(&format!("select pg_relation_filenode('{table}')")));
            lines.extend(session.rows(&format!("select ctid, xmin, image::text from {table} as image order by ctid")));
        }
        lines
    }

    /// Waits until no session of the tool is open in any database of the test, so that its counters have arrived.
    pub fn wait_until_quiet(&self) {
        let prefix = self.database("");
        self.session("target").wait_until(&format!(
            "not exists (select from pg_stat_activity where starts_with(datname, '{prefix}') \
             and starts_with(application_name, 'unimig'))"
        ));
    }
}
