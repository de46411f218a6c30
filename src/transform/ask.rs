//! The way from a template to a server: a render runs in a thread of its own, and asks through a channel that the
//! session's owner answers. So any session can be asked, one with an open transaction too.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::manifest::jinja::{Answer, AnswerColumn, Server, ServerRefused};
use crate::postgres::PostgresError;

/// Renders while this session answers what templates ask.
pub async fn asking<T: Send + 'static>(
    client: &Client,
    render: impl FnOnce(Arc<dyn Server>) -> T + Send + 'static,
) -> T {
    let (ask, mut asked) = mpsc::channel::<Question>(1);
    let mut rendering = tokio::task::spawn_blocking(move || render(Arc::new(Asking { ask })));
    loop {
        tokio::select! {
            Some(question) = asked.recv() => {
                let answer = answer(client, &question.sql).await;
                // A render that has gone on without its answer has ended.
                let _ = question.reply.send(answer);
            }
            ended = &mut rendering => return ended.expect("a render does not panic"),
        }
    }
}

struct Question {
    sql: String,
    reply: oneshot::Sender<Result<Answer, PostgresError>>,
}

#[derive(Debug)]
struct Asking {
    ask: mpsc::Sender<Question>,
}

impl Server for Asking {
    fn query(&self, sql: &str) -> Result<Answer, ServerRefused> {
        let (reply, answer) = oneshot::channel();
        let sent = self.ask.blocking_send(Question { sql: sql.to_owned(), reply });
        let answer = sent.ok().and_then(|()| answer.blocking_recv().ok());
        match answer {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(ServerRefused { message: error.to_string(), source: Box::new(error) }),
            None => {
                Err(ServerRefused { message: "the session is gone".to_owned(), source: "the session is gone".into() })
            }
        }
    }
}

/// Runs the statements; the rows are those of the last one that has any.
async fn answer(client: &Client, sql: &str) -> Result<Answer, PostgresError> {
    let failed = |error| PostgresError::server("run a statement of a template", error);
    let types = if is_one_query(sql) {
        let prepared = client.prepare(sql).await.map_err(failed)?;
        prepared.columns().iter().map(|column| column.type_().name().to_owned()).collect()
    } else {
        Vec::new()
    };
    let mut answer = Answer::default();
    for message in client.simple_query(sql).await.map_err(failed)? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                answer.rows.clear();
                answer.columns = columns
                    .iter()
                    .enumerate()
                    .map(|(at, column)| AnswerColumn {
                        name: column.name().to_owned(),
                        type_name: types.get(at).cloned().unwrap_or_default(),
                    })
                    .collect();
            }
            SimpleQueryMessage::Row(row) => {
                answer.rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
            }
            SimpleQueryMessage::CommandComplete(affected) => answer.affected = affected,
            _ => {}
        }
    }
    Ok(answer)
}

/// Whether the text is one statement that gives rows; only of such a one the server tells types beforehand.
fn is_one_query(sql: &str) -> bool {
    let statement = without_comments(sql).trim_end().trim_end_matches(';');
    let word: String = statement.chars().take_while(char::is_ascii_alphabetic).collect();
    let gives_rows = ["select", "with", "values", "table"].contains(&word.to_ascii_lowercase().as_str());
    (gives_rows || statement.starts_with('(')) && !statement.contains(';')
}

/// The text from its first word on.
fn without_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let comment = if rest.starts_with("--") {
            rest.find('\n').map(|end| end + 1)
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else {
            return rest;
        };
        let Some(end) = comment else { return "" };
        rest = rest[end..].trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_query_is_told_from_commands() {
        for query in ["select 1", "-- note\n/* more */ WITH a as (select 1) table a;", "(select 1) union (select 2)"] {
            assert!(is_one_query(query), "{query}");
        }
        for command in ["create table a ()", "select 1; select 2", "", "-- only a note"] {
            assert!(!is_one_query(command), "{command}");
        }
    }
}
