//! Hooks rendered with the names of their node: `this`, `ref`, `source`, `var`; and those of a whole run.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers::{Answers, Unknown};
use super::{CompileFacts, Templates};
use crate::diagnostic::{Diagnostics, SourceFile, Span};
use crate::ident::NodeName;
use crate::manifest::jinja::{Render, Session, from_json};
use crate::manifest::{Hook, Manifest, Moment};
use crate::project::{Environment, Project, Written};

/// A hook as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedHook {
    /// One statement or more.
    pub sql: String,
    pub moment: Moment,
    pub declared_at: Span,
    pub asks: Asks,
}

/// Whether a hook can be rendered without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    /// Its SQL is a template still, which [`LaterHooks`] renders when the hook's moment has come.
    Database,
}

/// The hooks of one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderedHooks {
    pub before: Vec<RenderedHook>,
    pub after: Vec<RenderedHook>,
    /// What they read: a node comes after these.
    pub reads: Vec<NodeName>,
}

/// What is needed to render hooks that ask the database.
pub struct LaterHooks {
    templates: Templates<'static>,
    facts: CompileFacts,
}

impl LaterHooks {
    /// Absent where no hook asks.
    pub fn of(
        (project, manifest, environment): (&Project, &Manifest, &Environment),
        facts: &CompileFacts,
        hooks: &BTreeMap<NodeName, RenderedHooks>,
    ) -> Result<Option<LaterHooks>, Diagnostics> {
        let mut all = hooks.values().flat_map(|hooks| hooks.before.iter().chain(&hooks.after));
        if !all.any(|hook| hook.asks == Asks::Database) {
            return Ok(None);
        }
        let templates = Templates::owned(project, manifest, environment)?;
        Ok(Some(Self { templates, facts: facts.clone() }))
    }

    /// The statement, unless it came out empty.
    pub fn render(
        &self,
        node: &NodeName,
        hook: &RenderedHook,
        session: Session,
    ) -> Result<Option<RenderedHook>, Diagnostics> {
        let answers = self.templates.hook_answers((Some(node), self.facts.incremental.contains(node)), session);
        let hook = Hook { sql: hook.sql.clone(), moment: hook.moment, declared_at: hook.declared_at.clone() };
        self.templates.hook(&hook, answers).map(|(sent, _)| sent)
    }
}

impl Templates<'_> {
    /// The hooks of every node that has any.
    pub fn hooks(
        &self,
        manifest: &Manifest,
        facts: &CompileFacts,
    ) -> Result<BTreeMap<NodeName, RenderedHooks>, Diagnostics> {
        let models = manifest.models.values().map(|model| (&model.name, &model.hooks));
        let seeds = manifest.seeds.values().map(|seed| (&seed.name, &seed.hooks));
        let (mut all, mut mistakes) = (BTreeMap::new(), Diagnostics::default());
        for (name, hooks) in models.chain(seeds).filter(|(_, hooks)| !hooks.is_empty()) {
            let mut rendered = RenderedHooks::default();
            for (hooks, place) in [(&hooks.before, &mut rendered.before), (&hooks.after, &mut rendered.after)] {
                for hook in hooks {
                    let answers = self.hook_answers((Some(name), facts.incremental.contains(name)), Session::Absent);
                    match self.hook(hook, answers) {
                        Ok((sent, reads)) => {
                            place.extend(sent);
                            rendered.reads.extend(reads.into_iter().filter(|read| read != name));
                        }
                        Err(found) => mistakes.append(found),
                    }
                }
            }
            all.insert(name.clone(), rendered);
        }
        mistakes.guard(all).map(|(all, _)| all)
    }

    /// A statement of `on-run-start` or `on-run-end`, with names that only these have.
    pub fn run_hook(
        &self,
        hook: &Written<String>,
        names: &BTreeMap<String, serde_json::Value>,
        session: Session,
    ) -> Result<Option<RenderedHook>, Diagnostics> {
        let hook = Hook { sql: hook.value.clone(), moment: Moment::Inside, declared_at: hook.span.clone() };
        let names = names.iter().map(|(name, value)| (name.clone(), from_json(value))).collect();
        let answers = self.hook_answers((None, false), session).with_names(names);
        self.hook(&hook, answers).map(|(sent, _)| sent)
    }

    /// The statement, unless it came out empty, and what it reads. Mistakes are placed where the hook is declared.
    fn hook(&self, hook: &Hook, answers: Answers) -> Result<(Option<RenderedHook>, Vec<NodeName>), Diagnostics> {
        let file = SourceFile { path: hook.declared_at.path().to_path_buf(), text: hook.sql.clone(), written: None };
        let plan = self.plan_text(&Arc::new(file));
        let answers = Arc::new(answers);
        let Render { rendered, mut diagnostics, needs_server, .. } = self.render_plan(&plan, Arc::clone(&answers) as _);
        let (reads, _) = answers.finish();
        diagnostics.0.extend(reads.unknown.iter().map(Unknown::mistake));
        if needs_server {
            let Hook { sql, moment, declared_at } = hook.clone();
            return Ok((Some(RenderedHook { sql, moment, declared_at, asks: Asks::Database }), reads.nodes));
        }
        for mistake in &mut diagnostics.0 {
            mistake.span = Some(hook.declared_at.clone());
        }
        let sql = rendered.map(|rendered| rendered.text).unwrap_or_default();
        let sent = (!sql.trim().is_empty()).then(|| RenderedHook {
            sql,
            moment: hook.moment,
            declared_at: hook.declared_at.clone(),
            asks: Asks::Nothing,
        });
        diagnostics.guard((sent, reads.nodes)).map(|(found, _)| found)
    }
}
