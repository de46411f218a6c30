//! The connection service file, `pg_service.conf`: named sections of connection keys.
//!
//! The user's own file is looked at first, then the system's; the first that has the section wins.

use std::path::{Path, PathBuf};

use crate::postgres::settings::SettingsError;

/// The keys of one section, in the order in which they were written.
#[derive(Debug, Default)]
pub struct Service(Vec<(String, String)>);

impl Service {
    /// The first value of a key, which is the one that libpq takes.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The section that was asked for, or an empty one when none was.
pub fn load(written: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Result<Service, SettingsError> {
    let Some(name) = written.map(str::to_owned).or_else(|| env("PGSERVICE")).filter(|name| !name.is_empty()) else {
        return Ok(Service::default());
    };
    let candidates = candidates(env);
    for path in &candidates {
        if let Some(text) = read(path)?
            && let Some(service) = section(path, &text, &name)?
        {
            return Ok(service);
        }
    }
    let looked: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
    Err(SettingsError::UnknownService(name, looked.join(", ")))
}

fn candidates(env: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let own = env("PGSERVICEFILE")
        .map(PathBuf::from)
        .or_else(|| env("HOME").map(|home| PathBuf::from(home).join(".pg_service.conf")));
    let system = env("PGSYSCONFDIR").unwrap_or_else(|| "/etc/postgresql-common".to_owned());
    own.into_iter().chain([PathBuf::from(system).join("pg_service.conf")]).collect()
}

fn read(path: &Path) -> Result<Option<String>, SettingsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SettingsError::Read { path: path.to_owned(), source }),
    }
}

/// The keys below `[name]`, up to the next section.
fn section(path: &Path, text: &str, name: &str) -> Result<Option<Service>, SettingsError> {
    let mut found: Option<Service> = None;
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(heading) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if heading.strip_suffix(']') == Some(name) {
                found = Some(Service::default());
            }
        } else if let Some(service) = &mut found {
            let (key, value) = line.split_once('=').ok_or_else(|| SettingsError::ServiceFile {
                path: path.to_owned(),
                line: index + 1,
                problem: "expected \"key=value\"".to_owned(),
            })?;
            service.0.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok(found)
}
