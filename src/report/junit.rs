//! The results of a run as JUnit XML, which CI servers show: data tests as test cases, and what was built as another
//! suite, so that a test that was skipped has its cause beside it.

use std::io;
use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::event::{Failure, RunSummary, StepReport};
use crate::report::words;
use crate::state::run::StepStatus;

/// Writes the file, under a temporary name first.
pub fn write(path: &Path, summary: &RunSummary) -> io::Result<()> {
    let text = report(summary).to_string().map_err(io::Error::other)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs_err::create_dir_all(folder)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    fs_err::write(&temporary, text)?;
    fs_err::rename(&temporary, path)
}

fn report(summary: &RunSummary) -> Report {
    let mut report = Report::new("unimig");
    report.set_time(summary.elapsed);
    let is_test = |step: &&StepReport| step.node.as_str().starts_with("test.");
    let tests: Vec<&StepReport> = summary.reports.iter().filter(is_test).collect();
    let built: Vec<&StepReport> = summary.reports.iter().filter(|step| !is_test(step)).collect();
    for (name, steps) in [("processes", built), ("data tests", tests)] {
        if !steps.is_empty() {
            report.add_test_suite(suite(name, &steps));
        }
    }
    report
}

fn suite(name: &str, steps: &[&StepReport]) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.add_test_cases(steps.iter().map(|step| case(name, step)));
    suite
}

fn case(suite: &str, step: &StepReport) -> TestCase {
    let mut case = TestCase::new(step.node.as_str(), status(step));
    case.set_classname(suite).set_time(step.elapsed);
    if step.status == StepStatus::Warn {
        case.set_system_out(format!("warning: {}", failing_rows(step)));
    }
    case
}

fn status(step: &StepReport) -> TestCaseStatus {
    match step.status {
        StepStatus::Success | StepStatus::Unchanged | StepStatus::Pass | StepStatus::Warn => TestCaseStatus::success(),
        StepStatus::Skipped | StepStatus::Cancelled => {
            let mut skipped = TestCaseStatus::skipped();
            if let Some(failure) = &step.failure {
                skipped.set_message(failure.message.as_str());
            }
            skipped
        }
        StepStatus::Fail => {
            let mut failed = TestCaseStatus::non_success(NonSuccessKind::Failure);
            failed.set_type("fail").set_message(failing_rows(step));
            failed
        }
        StepStatus::Failed => {
            let mut failed = TestCaseStatus::non_success(NonSuccessKind::Error);
            failed.set_type("error");
            if let Some(failure) = &step.failure {
                failed.set_message(failure.message.as_str()).set_description(description(failure));
            }
            failed
        }
    }
}

fn failing_rows(step: &StepReport) -> String {
    format!("{} failing rows", words::count(step.failing_rows.unwrap_or(0)))
}

/// The message, its causes, the place in the user's file and the hint, a line each.
fn description(failure: &Failure) -> String {
    let place = failure.diagnostic.as_ref().and_then(|diagnostic| diagnostic.span.as_ref()).map(|span| {
        let (line, column) = span.line_column();
        format!("at {}:{line}:{column}", span.path().display())
    });
    let hint = failure.hint.as_ref().map(|hint| format!("hint: {hint}"));
    let lines = [failure.message.clone()].into_iter().chain(failure.causes.iter().cloned()).chain(place).chain(hint);
    lines.collect::<Vec<_>>().join("\n")
}
