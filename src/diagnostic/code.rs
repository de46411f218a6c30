//! The closed list of diagnostic codes; each has a page in the book and a project in `tests/projects/broken_*`.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// The word in `error[…]`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $text,)+
                }
            }
        }
    };
}

codes! {
    // files and YAML
    ProjectNotFound = "project-not-found",
    UnreadableFile = "unreadable-file",
    BadYaml = "bad-yaml",
    WrongType = "wrong-type",
    UnknownKey = "unknown-key",
    MissingKey = "missing-key",
    BadValue = "bad-value",
    // profiles
    UnknownProfile = "unknown-profile",
    UnknownTarget = "unknown-target",
    MissingEnvVar = "missing-env-var",
    // names
    UnknownSource = "unknown-source",
    UnknownRef = "unknown-ref",
    UnknownConnection = "unknown-connection",
    UnknownCrosswalk = "unknown-crosswalk",
    UnknownDoc = "unknown-doc",
    UnknownMacro = "unknown-macro",
    UnknownVar = "unknown-var",
    UnknownModel = "unknown-model",
    UnknownPackage = "unknown-package",
    UnknownTestKind = "unknown-test-kind",
    DuplicateName = "duplicate-name",
    TwoWriters = "two-writers",
    // models
    BadJinja = "bad-jinja",
    TemplateLimit = "template-limit",
    BadConfig = "bad-config",
    BadUnitTest = "bad-unit-test",
    NotOneSelect = "not-one-select",
    Cycle = "cycle",
    PartialDeletes = "partial-deletes",
    // selection
    UnknownSelector = "unknown-selector",
    NothingSelected = "nothing-selected",
    BadSelector = "bad-selector",
    MissingState = "missing-state",
    // saved plans
    StalePlan = "stale-plan",
    // found on a server
    SqlError = "sql-error",
    UnknownTargetTable = "unknown-target-table",
    UnknownTargetColumn = "unknown-target-column",
    MissingKeyColumn = "missing-key-column",
    MissingRequiredColumn = "missing-required-column",
    DuplicateKey = "duplicate-key",
    BadRows = "bad-rows",
    EditedInTarget = "edited-in-target",
    UnfitTarget = "unfit-target",
    NotOurs = "not-ours",
    UnknownSourceTable = "unknown-source-table",
    UnknownSourceColumn = "unknown-source-column",
    ChangedColumn = "changed-column",
    SourceChanged = "source-changed",
    SchemaChanged = "schema-changed",
    BrokenContract = "broken-contract",
    UnknownColumns = "unknown-columns",
    WritableSource = "writable-source",
    TooManyDeletes = "too-many-deletes",
    TooManyRefused = "too-many-refused",
    OldBatch = "old-batch",
    BrokenBatch = "broken-batch",
    CrosswalkConflict = "crosswalk-conflict",
}

/// What to try where the mistake itself suggests nothing better: of a code, where the message begins so.
const USUAL_HINTS: &[(Code, &str, &str)] = &[
    (Code::BadYaml, "", "indent with spaces, and quote a value that holds \": \", \" #\" or begins with {{"),
    (
        Code::BadJinja,
        "syntax error",
        "every {{ needs its }}, every {% its %}, and every block such as {% if %} its {% endif %}",
    ),
    (Code::WrongType, "", "the reference of this file in the book shows the form of each key"),
];

impl Code {
    pub fn usual_hint(self, message: &str) -> Option<&'static str> {
        let fits = |(code, begin, _): &&(Self, &str, &str)| *code == self && message.starts_with(begin);
        USUAL_HINTS.iter().find(fits).map(|(_, _, hint)| *hint)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
