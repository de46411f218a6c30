//! `--select` and what goes with it, and the artifacts of an earlier run that `--state` names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, SourceFile};
use crate::graph::macros::ChangedMacros;
use crate::graph::previous::{self, Previous, PreviousManifest};
use crate::graph::{self, Chosen, Graph, History, Indirect, Moment, Wish};
use crate::ident::NodeName;
use crate::manifest::{Manifest, ResourceType};
use crate::ops::OpError;
use crate::ops::warnings::WarningRules;

/// dbt knows larger seeds by their path only.
const HASHED_BYTES_AT_MOST: u64 = 1 << 20;

/// Which nodes a command is about.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub select: Vec<String>,
    pub exclude: Vec<String>,
    /// A name of `selectors.yml`.
    pub selector: Option<String>,
    pub indirect: Indirect,
    /// Empty means every kind that the command is about.
    pub resource_types: Vec<ResourceType>,
    pub exclude_resource_types: Vec<ResourceType>,
    /// The folder of an earlier run's artifacts.
    pub state: Option<PathBuf>,
    /// When nodes last succeeded, where the selection asks for it.
    pub history: Option<Arc<History>>,
    /// Exactly these and nothing else, whatever the above say.
    pub only: Option<Arc<Vec<NodeName>>>,
    /// What `state` holds, once it was read.
    pub previous: Arc<OnceLock<Previous>>,
    /// What was told of terms that match nothing; see [`Selection::take_warnings`].
    pub warnings: Arc<Mutex<Diagnostics>>,
}

/// The folders of a project that a selection may look into.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub root: PathBuf,
    pub target_dir: PathBuf,
    /// The files of macros, each with its package's name.
    pub macros: Vec<(String, Arc<SourceFile>)>,
}

impl Selection {
    /// Whether the command line narrows anything down.
    pub fn is_narrow(&self) -> bool {
        !self.select.is_empty() || !self.exclude.is_empty() || self.selector.is_some() || self.only.is_some()
    }

    /// Terms that matched nothing while others did, once each, in the order in which they were found.
    pub fn take_warnings(&self) -> Diagnostics {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was told of terms that match nothing is a mistake where the rules say so; otherwise it is still to be told.
    pub fn refuse_warnings(&self, rules: &WarningRules) -> Result<(), OpError> {
        let told = self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut warnings = Diagnostics(told.0.into_iter().filter(|warning| rules.refuses(warning)).collect());
        if warnings.0.is_empty() {
            return Ok(());
        }
        warnings.0.iter_mut().for_each(|warning| warning.severity = Severity::Error);
        Err(OpError::Project(warnings))
    }

    /// Whether a term asks when nodes last succeeded, which only the target knows.
    pub fn asks_history(&self, manifest: &Manifest) -> bool {
        let is_stale = |text: &String| text.contains("stale");
        let named = manifest.pipelines.iter().flat_map(|pipeline| pipeline.steps.iter().map(|step| &step.value));
        let written = self.select.iter().chain(&self.exclude).chain(named);
        let in_file = manifest.selectors.iter().any(|selector| selector.file.text.contains("stale"));
        written.into_iter().any(is_stale) || in_file
    }

    /// The nodes that are meant, parents first.
    pub fn choose(&self, manifest: &Manifest, graph: &Graph, places: &Places) -> Result<Chosen, OpError> {
        if let Some(only) = &self.only {
            return Ok(Chosen { nodes: only.to_vec(), may_be_empty: true, ..Chosen::default() });
        }
        let previous = match &self.state {
            Some(folder) => Some(self.previous(folder, manifest, places)?),
            None => None,
        };
        let wish = Wish {
            select: &self.select,
            exclude: &self.exclude,
            selector: self.selector.as_deref(),
            indirect: self.indirect,
            moment: Moment { previous, history: self.history.as_deref() },
        };
        let mut chosen = graph::select(graph, manifest, &wish)?;
        chosen.nodes.retain(|name| manifest.facts(name).is_some_and(|facts| self.wants(facts.resource_type)));
        let mut told = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let news: Vec<Diagnostic> =
            chosen.warnings.0.iter().filter(|warning| !told.0.contains(warning)).cloned().collect();
        told.0.extend(news);
        drop(told);
        Ok(chosen)
    }

    fn wants(&self, kind: ResourceType) -> bool {
        (self.resource_types.is_empty() || self.resource_types.contains(&kind))
            && !self.exclude_resource_types.contains(&kind)
    }

    fn previous(&self, folder: &Path, manifest: &Manifest, places: &Places) -> Result<&Previous, OpError> {
        if let Some(known) = self.previous.get() {
            return Ok(known);
        }
        let read = read_state(folder, manifest, places)?;
        Ok(self.previous.get_or_init(|| read))
    }
}

/// The artifacts of a folder: as it is written, or below the project folder.
pub fn state_folder(folder: &Path, root: &Path) -> Result<PathBuf, OpError> {
    let candidates = [folder.to_path_buf(), root.join(folder)];
    candidates.into_iter().find(|folder| folder.is_dir()).ok_or_else(|| {
        let message = format!("--state names \"{}\", and there is no such folder", folder.display());
        let hint = "it is a folder with the manifest.json of an earlier run, such as a kept copy of target/";
        OpError::Project(Diagnostics(vec![Diagnostic::error(Code::MissingState, message).hint(hint)]))
    })
}

/// The `manifest.json` of a folder, if it has one.
pub fn read_manifest(folder: &Path) -> Result<Option<PreviousManifest>, OpError> {
    read(&folder.join("manifest.json"), PreviousManifest::parse)
}

fn read_state(folder: &Path, manifest: &Manifest, places: &Places) -> Result<Previous, OpError> {
    let folder = state_folder(folder, &places.root)?;
    let before = read_manifest(&folder)?;
    let changed_macros = match &before {
        Some(before) => ChangedMacros::between(&manifest.project_name, &places.macros, &before.macros),
        None => ChangedMacros::default(),
    };
    Ok(Previous {
        manifest: before,
        changed_macros,
        results: read(&folder.join("run_results.json"), previous::results)?,
        freshness: read(&folder.join("sources.json"), previous::freshness)?,
        freshness_now: read(&places.target_dir.join("sources.json"), previous::freshness)?,
        seeds_now: seed_checksums(manifest, &places.root),
    })
}

/// What a file says, if it is there.
fn read<T>(path: &Path, parse: fn(&str) -> Result<T, serde_json::Error>) -> Result<Option<T>, OpError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs_err::read_to_string(path).map_err(|error| {
        let message = format!("\"{}\" cannot be read: {}", path.display(), error.kind());
        Diagnostics(vec![Diagnostic::error(Code::MissingState, message)])
    })?;
    match parse(&text) {
        Ok(read) => Ok(Some(read)),
        Err(error) => {
            let message = format!("\"{}\" is no artifact of unimig or dbt: {error}", path.display());
            let hint = "the file may be cut off, or made by a version whose artifacts have another form";
            Err(OpError::Project(Diagnostics(vec![Diagnostic::error(Code::MissingState, message).hint(hint)])))
        }
    }
}

fn seed_checksums(manifest: &Manifest, root: &Path) -> HashMap<NodeName, String> {
    let seeds: Vec<_> = manifest.seeds.values().collect();
    let checksum = |path: &Path| {
        let file = root.join(path);
        let is_small = fs_err::metadata(&file).is_ok_and(|found| found.len() <= HASHED_BYTES_AT_MOST);
        match fs_err::read(&file) {
            Ok(content) if is_small => {
                Sha256::digest(trimmed(&content)).iter().map(|byte| format!("{byte:02x}")).collect()
            }
            Ok(_) | Err(_) => path.display().to_string(),
        }
    };
    seeds.par_iter().map(|seed| (seed.name.clone(), checksum(&seed.path))).collect()
}

/// dbt's checksums are of a file's text without the white space around it.
fn trimmed(content: &[u8]) -> &[u8] {
    std::str::from_utf8(content).map_or(content, |text| text.trim().as_bytes())
}
