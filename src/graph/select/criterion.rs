//! A selection as data: what `--select`, `--exclude` and `selectors.yml` say, before any node is looked at.

use serde_json::Value;

use crate::diagnostic::Span;
use crate::manifest::{ResourceType, TestType};

/// A set of nodes, described.
#[derive(Debug, Clone, PartialEq)]
pub enum Spec {
    Criterion(Criterion),
    Union(Group),
    Intersection(Group),
    /// The first without all others.
    Difference(Vec<Spec>),
    /// A named selection with the relatives of everything in it.
    Around(Box<Spec>, Relatives, Indirect),
}

/// Selections that are joined, and how tests that no member took whole are looked at again once they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub members: Vec<Spec>,
    pub indirect: Indirect,
}

/// One term: `2+tag:nightly` is all nodes with the tag and two generations before them.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// As the user typed it, and where.
    pub written: Span,
    pub method: Method,
    pub relatives: Relatives,
    pub indirect: Indirect,
}

/// Which relatives of a node come with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relatives {
    /// `@`: its descendants, and everything that they read.
    pub childrens_parents: bool,
    /// Generations before it; [`usize::MAX`] is all of them.
    pub parents: usize,
    pub children: usize,
}

/// `--indirect-selection`: when a test comes with what it tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Indirect {
    /// When anything that it reads is selected.
    #[default]
    Eager,
    /// When everything that it reads is selected.
    Cautious,
    /// When everything that it reads is selected or read by what is selected.
    Buildable,
    /// Only when it is named itself.
    Empty,
}

/// How nodes are looked for; texts may hold wildcards.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// A name of ours: `bl.person`, `stg.svp.*`.
    Name(String),
    /// A term without a method: a name of ours or of dbt's.
    Bare(String),
    /// dbt's: the package, the folders and the name, joined by dots.
    Fqn(String),
    Tag(String),
    Group(String),
    Access(String),
    Source(String),
    Exposure(String),
    UnitTest(String),
    Path(String),
    File(String),
    Package(String),
    Config(Vec<String>, Value),
    TestName(String),
    TestType(Vec<TestType>),
    ResourceType(ResourceType),
    State(StateCheck),
    Result(String),
    SourceStatus,
    Version(VersionCheck),
    Layer(Layer),
    Stale(jiff::SignedDuration),
}

/// What `state:` compares with an earlier manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateCheck {
    New,
    Old,
    Modified,
    Unmodified,
    Body,
    Configs,
    Relation,
    PersistedDescriptions,
    Macros,
    Contract,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionCheck {
    Latest,
    Prerelease,
    Old,
    /// Models without versions.
    None,
}

/// Where data rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    Stg,
    Bl,
    Files,
}

impl Relatives {
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

impl Method {
    /// Whether what it finds depends on runs and earlier artifacts, so that finding nothing is an ordinary answer.
    pub fn is_momentary(&self) -> bool {
        match self {
            Self::State(_) | Self::Result(_) | Self::SourceStatus | Self::Stale(_) => true,
            Self::Name(_)
            | Self::Bare(_)
            | Self::Fqn(_)
            | Self::Tag(_)
            | Self::Group(_)
            | Self::Access(_)
            | Self::Source(_)
            | Self::Exposure(_)
            | Self::UnitTest(_)
            | Self::Path(_)
            | Self::File(_)
            | Self::Package(_)
            | Self::Config(..)
            | Self::TestName(_)
            | Self::TestType(_)
            | Self::ResourceType(_)
            | Self::Version(_)
            | Self::Layer(_) => false,
        }
    }
}

impl Indirect {
    pub const WORDS: &'static [&'static str] = &["eager", "cautious", "buildable", "empty"];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eager => "eager",
            Self::Cautious => "cautious",
            Self::Buildable => "buildable",
            Self::Empty => "empty",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        match word {
            "eager" => Some(Self::Eager),
            "cautious" => Some(Self::Cautious),
            "buildable" => Some(Self::Buildable),
            "empty" => Some(Self::Empty),
            _ => None,
        }
    }
}

impl Spec {
    /// Every criterion in it.
    pub fn criteria(&self) -> Vec<&Criterion> {
        match self {
            Self::Criterion(criterion) => vec![criterion],
            Self::Union(group) | Self::Intersection(group) => group.members.iter().flat_map(Self::criteria).collect(),
            Self::Difference(members) => members.iter().flat_map(Self::criteria).collect(),
            Self::Around(inner, ..) => inner.criteria(),
        }
    }
}
