//! Every project of `tests/projects/` that is broken in its files says so once, with the code of its name.

use std::path::{Path, PathBuf};

use super::{CompileFacts, Compiler, dependencies};
use crate::diagnostic::{Code, Diagnostics};
use crate::graph::Graph;
use crate::manifest::resolve;
use crate::project::fixture::shown;
use crate::project::{LoadOptions, ProfileOptions, load, load_environment};

/// Mistakes that need no server to be found.
const CODES: &[Code] = &[
    Code::ProjectNotFound,
    Code::UnreadableFile,
    Code::BadYaml,
    Code::WrongType,
    Code::UnknownKey,
    Code::MissingKey,
    Code::BadValue,
    Code::UnknownProfile,
    Code::UnknownTarget,
    Code::MissingEnvVar,
    Code::UnknownSource,
    Code::UnknownRef,
    Code::UnknownConnection,
    Code::UnknownCrosswalk,
    Code::UnknownDoc,
    Code::UnknownMacro,
    Code::UnknownVar,
    Code::UnknownModel,
    Code::UnknownPackage,
    Code::UnknownTestKind,
    Code::DuplicateName,
    Code::TwoWriters,
    Code::BadJinja,
    Code::BadConfig,
    Code::BadUnitTest,
    Code::NotOneSelect,
    Code::Cycle,
    Code::PartialDeletes,
];

fn read_to_the_end(root: &Path) -> Result<(), Diagnostics> {
    let (project, _) = load(&LoadOptions { root: root.to_path_buf(), ..LoadOptions::default() })?;
    let environment = load_environment(&project, &ProfileOptions::default())?;
    let (manifest, _) = resolve(&project, &environment)?;
    let facts = CompileFacts::default();
    let compiled = Compiler::new(&project, &manifest, &environment, &facts).compile_all()?;
    Graph::build(&manifest, &dependencies(&compiled)).map(|_| ())
}

#[test]
fn each_broken_project_is_broken_in_exactly_one_way() {
    for code in CODES {
        let folder = format!("broken_{}", code.as_str().replace('-', "_"));
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/projects").join(&folder);
        let mistakes = read_to_the_end(&root).expect_err(&folder);
        let codes: Vec<Code> = mistakes.0.iter().map(|mistake| mistake.code).collect();
        assert_eq!(codes, [*code], "{folder}:\n{}", shown(&mistakes));
    }
}
