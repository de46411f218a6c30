//! What a command said and did, and assertions that show all of it when they fail.

use std::process::{Child, Output};

use serde_json::Value;

/// A command that has ended.
pub struct Outcome {
    pub arguments: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn of(arguments: &[&str], output: &Output) -> Self {
        Self {
            arguments: arguments.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub fn exit(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.transcript());
        self
    }

    #[track_caller]
    pub fn stderr_has(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr lacks {text:?}\n{}", self.transcript());
        self
    }

    #[track_caller]
    pub fn stderr_lacks(self, text: &str) -> Self {
        assert!(!self.stderr.contains(text), "stderr has {text:?}\n{}", self.transcript());
        self
    }

    #[track_caller]
    pub fn stdout_has(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "stdout lacks {text:?}\n{}", self.transcript());
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("stdout is JSON")
    }

    /// What is said of failures at the end of a run, without times.
    pub fn failures(&self) -> String {
        let lines = self.stderr.lines().skip_while(|line| !line.contains(" failed after "));
        let lines: Vec<&str> = lines.collect();
        let told = lines.split_last().map_or(&lines[..], |(_summary, told)| told);
        let told: Vec<&str> =
            told.iter().map(|line| line.split_once(" failed after ").map_or(*line, |(node, _)| node)).collect();
        told.join("\n").trim().to_owned()
    }

    pub fn transcript(&self) -> String {
        let Self { arguments, code, stdout, stderr } = self;
        format!("$ unimig {arguments}\nexit {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// A command that may still be running; dropping it kills it.
pub struct Started {
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Started {
    pub fn new(arguments: &[&str], child: Child) -> Self {
        Self { arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(), child: Some(child) }
    }

    pub fn wait(mut self) -> Outcome {
        let child = self.child.take().expect("it is waited for once");
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        Outcome::of(&arguments, &child.wait_with_output().expect("the command ends"))
    }

    /// What Ctrl-C does.
    pub fn interrupt(&self) {
        let child = self.child.as_ref().expect("it runs");
        let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it can be signalled");
    }

    /// What `kill -9` does. Tells whether it was still running.
    pub fn kill(mut self) -> bool {
        let mut child = self.child.take().expect("it runs");
        let ended = child.try_wait().expect("it can be asked");
        // One that has just ended can't be killed, which is as good.
        let _ = child.kill();
        let _ = child.wait();
        ended.is_none()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A line of `run_results.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    pub node: String,
    pub status: String,
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
    pub extracted: u64,
    pub message: Option<String>,
}

impl StepResult {
    pub fn all(document: &Value) -> Vec<Self> {
        let results = document["results"].as_array().expect("there are results");
        results.iter().map(Self::one).collect()
    }

    fn one(result: &Value) -> Self {
        let response = &result["adapter_response"];
        let count = |name: &str| response[name].as_u64().expect("a count");
        Self {
            node: response["node"].as_str().expect("a name").to_owned(),
            status: response["code"].as_str().expect("a status").to_owned(),
            inserted: count("rows_inserted"),
            updated: count("rows_updated"),
            deleted: count("rows_deleted"),
            extracted: count("rows_extracted"),
            message: result["message"].as_str().map(str::to_owned),
        }
    }

    /// Inserted, updated, deleted.
    pub fn wrote(&self) -> (u64, u64, u64) {
        (self.inserted, self.updated, self.deleted)
    }
}
