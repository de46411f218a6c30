//! One output of `profiles.yml`: its templates evaluated, its settings checked.

use std::collections::BTreeMap;

use super::fields::{Fields, Reader};
use super::limits::LIMIT_KEYS;
use super::profile::{ConnectionOutput, Environment, ProfileOptions, ServerKind, StoreOutput, TargetOutput};
use super::template::TextScope;
use super::yaml::{Key, Yaml, YamlValue};
use super::{EnvVars, Invocation, Project, Settings, Vars};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::Ident;

/// libpq's settings and dbt's names for some of them.
const SERVER_KEYS: &[&str] = &[
    "type",
    "host",
    "port",
    "user",
    "password",
    "pass",
    "dbname",
    "database",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "role",
    "service",
    "passfile",
    "connect_timeout",
    "keepalives_idle",
    "application_name",
    "retries",
    "max_connections",
    "statement_timeout",
];
const EMBEDDED_KEYS: &[&str] = &["type", "dbname", "database", "max_connections", "statement_timeout"];
const TARGET_KEYS: &[&str] = &["schema", "threads", "search_path", "connections", "stores"];
const STORE_KEYS: &[&str] = &["url", "access_key_id", "secret_access_key", "session_token", "region", "endpoint"];

pub(super) struct OutputReader<'r> {
    pub reader: &'r mut Reader,
    pub scope: TextScope,
}

/// A map of `profiles.yml` whose keys users choose: its entry, or a mistake with the nearest name.
struct Choice<'y> {
    key: &'y Key,
    value: &'y Yaml,
}

impl OutputReader<'_> {
    pub fn environment(&mut self, tree: &Yaml, project: &Project, options: &ProfileOptions) -> Option<Environment> {
        let profiles = self.reader.open_fields(tree, "profiles file")?;
        let profile = self.profile(&profiles, project)?;
        let fields = self.reader.fields(profile.value, "profile", &["target", "outputs", "config"])?;
        let outputs = self.reader.required(&fields, "outputs")?;
        let outputs = self.reader.open_fields(outputs, "outputs")?;
        let target_name = self.target_name(&fields, options)?;
        let output = self.output(&outputs, &target_name)?;
        let declared_at = self.reader.span(&output.key.range);
        let kind = self.kind(output.value, "output")?;
        let known: Vec<&'static str> = keys_of(kind).iter().chain(TARGET_KEYS).copied().collect();
        let fields = self.reader.fields(output.value, "output", &known)?;
        let target = self.target(&fields, kind, declared_at);
        let connections = self.connections(&fields);
        let stores = self.stores(&fields);
        Some(Environment {
            profile: profile.key.name.clone(),
            target_name: target_name.0,
            target: target?,
            connections,
            stores,
            env: EnvVars::default(),
            vars: Vars::new(),
            invocation: Invocation::default(),
        })
    }

    fn profile<'y>(&mut self, profiles: &Fields<'y>, project: &Project) -> Option<Choice<'y>> {
        let name = &project.profile_name;
        if let Some(choice) = choose(profiles, name) {
            return Some(choice);
        }
        let names = names(profiles);
        let diagnostic =
            Diagnostic::error(Code::UnknownProfile, format!("profile \"{name}\" is not in the profiles file"))
                .at(Span::whole(&self.reader.file));
        self.reader.report(with_names(diagnostic, name, &names));
        None
    }

    /// The output's name and the place that gave it; a command line gives no place.
    fn target_name(&mut self, profile: &Fields<'_>, options: &ProfileOptions) -> Option<(String, Option<Span>)> {
        if let Some(target) = &options.target {
            return Some((target.clone(), None));
        }
        match profile.get("target") {
            Some(value) => Some((self.text(value)?, Some(self.reader.span(&value.range)))),
            None => Some(("default".to_owned(), None)),
        }
    }

    fn output<'y>(&mut self, outputs: &Fields<'y>, (name, at): &(String, Option<Span>)) -> Option<Choice<'y>> {
        if let Some(choice) = choose(outputs, name) {
            return Some(choice);
        }
        let names = names(outputs);
        let mut diagnostic = Diagnostic::error(Code::UnknownTarget, format!("the profile has no output \"{name}\""));
        diagnostic.span = at.clone().or_else(|| Some(Span::whole(&self.reader.file)));
        self.reader.report(with_names(diagnostic, name, &names));
        None
    }

    fn kind(&mut self, yaml: &Yaml, what: &'static str) -> Option<ServerKind> {
        let fields = self.reader.open_fields(yaml, what)?;
        let Some(value) = fields.get("type") else {
            let diagnostic = self.reader.missing_key(&fields, "type").hint("type is \"embedded\" or \"postgres\"");
            self.reader.report(diagnostic);
            return None;
        };
        match self.text(value)?.as_str() {
            "embedded" => Some(ServerKind::Embedded),
            "postgres" => Some(ServerKind::Postgres),
            other => {
                let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{other}\" is no type of server"))
                    .at(self.reader.span(&value.range))
                    .hint("type is \"embedded\" or \"postgres\"");
                self.reader.report(diagnostic);
                None
            }
        }
    }

    fn target(&mut self, fields: &Fields<'_>, kind: ServerKind, declared_at: Span) -> Option<TargetOutput> {
        let settings = self.settings(fields, TARGET_KEYS);
        let schema = match fields.get("schema") {
            Some(value) => self.text(value).and_then(|text| self.ident(text, value)),
            None => Ident::new("public").ok(),
        };
        let search_path = self.search_path(fields);
        let threads = fields.get("threads").map_or(Some(4), |value| self.positive(value));
        let dbname = self.dbname(&settings, kind, &declared_at);
        Some(TargetOutput {
            kind,
            dbname: dbname?,
            settings,
            schema: schema?,
            search_path,
            threads: threads?,
            declared_at,
        })
    }

    /// Schemas parted by commas, as PostgreSQL's own setting has them.
    fn search_path(&mut self, fields: &Fields<'_>) -> Vec<Ident> {
        let Some(value) = fields.get("search_path") else { return Vec::new() };
        let text = self.text(value).unwrap_or_default();
        let names = text.split(',').map(|name| name.trim().trim_matches('"').to_owned());
        names.filter(|name| !name.is_empty()).filter_map(|name| self.ident(name, value)).collect()
    }

    fn dbname(&mut self, settings: &Settings, kind: ServerKind, declared_at: &Span) -> Option<String> {
        match (settings.get("dbname"), kind) {
            (Some(dbname), _) => Some(dbname.to_owned()),
            // A service file may name the database.
            (None, ServerKind::Postgres) if settings.get("service").is_some() => Some(String::new()),
            (None, ServerKind::Embedded | ServerKind::Postgres) => {
                let diagnostic =
                    Diagnostic::error(Code::MissingKey, "an output or connection needs the key \"dbname\"")
                        .at(declared_at.clone());
                self.reader.report(diagnostic);
                None
            }
        }
    }

    fn connections(&mut self, fields: &Fields<'_>) -> BTreeMap<String, ConnectionOutput> {
        let Some(list) = fields.get("connections").and_then(|value| self.reader.open_fields(value, "connections"))
        else {
            return BTreeMap::new();
        };
        let entries = list.entries().iter();
        entries.filter_map(|(key, value)| Some((key.name.clone(), self.connection(key, value)?))).collect()
    }

    fn connection(&mut self, key: &Key, value: &Yaml) -> Option<ConnectionOutput> {
        let kind = self.kind(value, "connection")?;
        let known: Vec<&'static str> = keys_of(kind).iter().chain(LIMIT_KEYS).copied().collect();
        let fields = self.reader.fields(value, "connection", &known)?;
        let settings = self.settings(&fields, LIMIT_KEYS);
        let limits = self.limits(&fields);
        let declared_at = self.reader.span(&key.range);
        let dbname = self.dbname(&settings, kind, &declared_at)?;
        Some(ConnectionOutput { kind, settings, dbname, limits, declared_at })
    }

    fn stores(&mut self, fields: &Fields<'_>) -> BTreeMap<String, StoreOutput> {
        let Some(list) = fields.get("stores").and_then(|value| self.reader.open_fields(value, "stores")) else {
            return BTreeMap::new();
        };
        let entries = list.entries().iter();
        entries.filter_map(|(key, value)| Some((key.name.clone(), self.store(key, value)?))).collect()
    }

    fn store(&mut self, key: &Key, value: &Yaml) -> Option<StoreOutput> {
        let fields = self.reader.fields(value, "store", STORE_KEYS)?;
        let mut settings = self.settings(&fields, &[]);
        let place = self.reader.required(&fields, "url")?;
        let url = settings.0.remove("url")?;
        if !["file://", "s3://", "oci://"].iter().any(|scheme| url.starts_with(scheme)) {
            let diagnostic =
                Diagnostic::error(Code::BadValue, format!("store \"{}\" has no URL that unimig knows", key.name))
                    .at(self.reader.span(&place.range))
                    .hint("a store's url begins with file://, s3:// or oci://");
            self.reader.report(diagnostic);
            return None;
        }
        Some(StoreOutput { url, settings, declared_at: self.reader.span(&key.range) })
    }

    fn settings(&mut self, fields: &Fields<'_>, without: &[&str]) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in fields.entries() {
            if key.name == "type" || without.contains(&key.name.as_str()) || value.value == YamlValue::Null {
                continue;
            }
            let name = match key.name.as_str() {
                "pass" => "password",
                "database" => "dbname",
                other => other,
            };
            if let Some(text) = self.text(value) {
                settings.0.insert(name.to_owned(), text);
            }
        }
        settings
    }

    fn positive(&mut self, yaml: &Yaml) -> Option<usize> {
        let text = self.text(yaml)?;
        match text.trim().parse() {
            Ok(number) if number > 0 => Some(number),
            Ok(_) | Err(_) => {
                let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{text}\" is no number of threads"))
                    .at(self.reader.span(&yaml.range))
                    .hint("threads is 1 or more");
                self.reader.report(diagnostic);
                None
            }
        }
    }

    fn ident(&mut self, text: String, yaml: &Yaml) -> Option<Ident> {
        match Ident::new(text) {
            Ok(ident) => Some(ident),
            Err(error) => {
                let span = self.reader.span(&yaml.range);
                self.reader.report(Diagnostic::error(Code::BadValue, error.to_string()).at(span));
                None
            }
        }
    }

    pub(super) fn text(&mut self, yaml: &Yaml) -> Option<String> {
        let text = self.reader.scalar(yaml)?;
        match self.scope.render(&text, &self.reader.span(&yaml.range)) {
            Ok(text) => Some(text),
            Err(diagnostic) => {
                self.reader.report(diagnostic);
                None
            }
        }
    }
}

fn keys_of(kind: ServerKind) -> &'static [&'static str] {
    match kind {
        ServerKind::Embedded => EMBEDDED_KEYS,
        ServerKind::Postgres => SERVER_KEYS,
    }
}

fn choose<'y>(fields: &Fields<'y>, name: &str) -> Option<Choice<'y>> {
    fields.entries().iter().find(|(key, _)| key.name == name).map(|(key, value)| Choice { key, value })
}

fn names<'y>(fields: &Fields<'y>) -> Vec<&'y str> {
    fields.entries().iter().map(|(key, _)| key.name.as_str()).collect()
}

fn with_names(diagnostic: Diagnostic, written: &str, names: &[&str]) -> Diagnostic {
    let diagnostic = diagnostic.did_you_mean(written, names.iter().copied());
    match diagnostic.hint {
        Some(_) => diagnostic,
        None if names.is_empty() => diagnostic.hint("there is none yet; unimig init writes one to begin with"),
        None => diagnostic.hint(format!("there is {}", names.join(", "))),
    }
}
