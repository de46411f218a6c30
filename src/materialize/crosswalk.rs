//! A crosswalk as statements: tables of keys and ids that last, the views that models read, and one INSERT a member that
//! gives ids to keys which have none.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Ident, Literal, NodeName, Relation};
use crate::manifest::{CrosswalkMember, CrosswalkNode};
use crate::materialize::mark;
use crate::materialize::stage::StagedColumn;
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("crosswalk.sql")));

/// A member with what the server says of its columns.
#[derive(Debug, Clone)]
pub struct TypedMember<'a> {
    pub node: &'a CrosswalkMember,
    /// The key's columns with their types in staging.
    pub keys: Vec<StagedColumn>,
    /// The type of the target's column.
    pub id_type: &'a str,
    pub repeats: Repeats,
}

/// Whether the member's key may occur more than once among the staged rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// It is the key of the staged table.
    Never,
    Maybe,
}

/// A view of ours: how it is made, and what its comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub relation: Relation,
    pub create: String,
    pub comment: String,
}

impl View {
    pub fn statements(&self) -> String {
        let mark = Literal(&self.comment);
        let view = quoted(&self.relation);
        let comment = STATEMENTS.render("comment_view", context! { view, mark => quoted(mark) });
        format!("{};\n{comment}", self.create)
    }

    pub fn drop(&self) -> String {
        STATEMENTS.render("drop_view", context! { view => quoted(&self.relation) })
    }
}

impl TypedMember<'_> {
    fn context(&self) -> Value {
        let node = self.node;
        context! {
            table => quoted(&node.table),
            live => quoted(&node.live_relation),
            keys => quoted_list(&node.key),
            id_type => quoted(self.id_type),
        }
    }

    fn render(&self, statement: &str, more: Value) -> String {
        STATEMENTS.render(statement, context! { ..more, ..self.context() })
    }

    /// The table of keys and ids, its index and its mark.
    pub fn create_table(&self, process: &NodeName) -> String {
        let typed = |column: &StagedColumn| {
            context! { name => quoted(&column.name), data_type => quoted(&column.data_type) }
        };
        let typed_keys: Vec<Value> = self.keys.iter().map(typed).collect();
        self.render("create_table", context! { typed_keys, mark => quoted(Literal(&mark(process))) })
    }

    /// Brings a column to another type.
    pub fn retype(&self, column: &Ident, data_type: &str) -> String {
        self.render("retype", context! { column => quoted(column), data_type => quoted(data_type) })
    }

    /// Tells the planner of rows that came.
    pub fn analyze(&self) -> String {
        self.render("analyze", context! {})
    }

    /// Staged rows that have no key.
    pub fn keyless(&self) -> String {
        self.render("keyless", context! {})
    }

    fn fresh(&self) -> String {
        self.render("fresh", context! { distinct => self.repeats == Repeats::Maybe })
    }

    fn allocate(&self, new_id: &str) -> String {
        self.render("allocate", context! { new_id => quoted(new_id), fresh => quoted(self.fresh()) })
    }

    /// Values of a sequence, in the order of keys.
    pub fn allocate_from_sequence(&self, sequence: &str) -> String {
        let new_id = STATEMENTS.render("from_sequence", context! { sequence => quoted(Literal(sequence)) });
        self.allocate(&new_id)
    }

    /// The key itself, moved.
    pub fn allocate_from_key(&self, key: &Ident, offset: i64) -> String {
        self.allocate(&STATEMENTS.render("from_key", context! { key => quoted(key), offset }))
    }

    /// Evaluates the expression for every staged row.
    pub fn create_natural(&self, value: &str) -> String {
        self.render("create_natural", context! { value => quoted(value) })
    }

    pub fn natural_twice(&self) -> String {
        self.render("natural_twice", context! {})
    }

    pub fn natural_missing(&self) -> String {
        self.render("natural_missing", context! {})
    }

    pub fn allocate_natural(&self) -> String {
        self.render("allocate_natural", context! {})
    }

    pub fn drop_natural(&self) -> String {
        self.render("drop_natural", context! {})
    }

    /// Numbers the keys that have no id.
    pub fn create_named(&self) -> String {
        self.render("create_named", context! { fresh => quoted(self.fresh()) })
    }

    /// The next keys as text, after a number.
    pub fn names(&self) -> String {
        self.render("names", context! { key_text => quoted(key_text(self.node)) })
    }

    pub fn keep_names(&self) -> String {
        self.render("keep_names", context! {})
    }

    pub fn allocate_named(&self) -> String {
        self.render("allocate_named", context! {})
    }

    pub fn drop_named(&self) -> String {
        self.render("drop_named", context! {})
    }

    /// Ids given in this transaction that another member, or another key of this one, has too.
    pub fn given_twice(&self, other: &CrosswalkMember) -> String {
        let same = other.table == self.node.table;
        self.render("given_twice", context! { other => quoted(&other.table), same })
    }

    /// Ids given in this transaction by which the target has rows already.
    pub fn taken(&self, target: &Relation, column: &Ident) -> String {
        self.render("taken", context! { target => quoted(target), column => quoted(column) })
    }

    /// What models read.
    pub fn view(&self, process: &NodeName) -> View {
        let node = self.node;
        let single_key = node.single_key().filter(|key| key.as_str() != "source_key").map(quoted);
        let create = self.render("create_view", context! { view => quoted(&node.relation), single_key });
        View { relation: node.relation.clone(), comment: comment(&create, process), create }
    }
}

/// All members' keys as text.
pub fn union(node: &CrosswalkNode) -> View {
    let member = |member: &CrosswalkMember| {
        context! {
            name => quoted(Literal(&member.name)),
            key_text => quoted(key_text(member)),
            table => quoted(&member.table),
        }
    };
    let members: Vec<Value> = node.members.iter().map(member).collect();
    let create = STATEMENTS.render("create_union", context! { view => quoted(&node.relation), members });
    View { relation: node.relation.clone(), comment: comment(&create, &node.name), create }
}

/// The least and the greatest id of each member, by its place.
pub fn ranges(members: &[(&CrosswalkMember, &Ident, i64)]) -> String {
    let member = |(member, key, offset): &(&CrosswalkMember, &Ident, i64)| {
        context! {
            live => quoted(&member.live_relation),
            table => quoted(&member.table),
            key => quoted(*key),
            offset => *offset,
        }
    };
    let members: Vec<Value> = members.iter().map(member).collect();
    STATEMENTS.render("ranges", context! { members })
}

/// A key as one text: itself, or a JSON array of its columns' texts.
pub fn key_text(member: &CrosswalkMember) -> String {
    match member.single_key() {
        Some(key) => STATEMENTS.render("single_key_text", context! { key => quoted(key) }),
        None => STATEMENTS.render("composite_key_text", context! { keys => quoted_list(&member.key) }),
    }
}

/// The same where the columns are those of an alias.
pub fn key_text_of(member: &CrosswalkMember, alias: &str) -> String {
    let keys: Vec<String> = member.key.iter().map(|key| format!("{alias}.{key}")).collect();
    match keys.as_slice() {
        [key] => STATEMENTS.render("single_key_text", context! { key => quoted(key) }),
        keys => STATEMENTS.render("composite_key_text", context! { keys => quoted_list(keys) }),
    }
}

/// Another definition has another comment, so that a view is made again only where it is another.
fn comment(create: &str, process: &NodeName) -> String {
    use sha2::{Digest, Sha256};
    let digest: String = Sha256::digest(create).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("definition {digest}\n{}", mark(process))
}
