//! The book says what the tool does: its command pages are generated, its codes and keys complete, its links whole.
//!
//! `UPDATE_REFERENCE=1 cargo test --test book` writes the generated page anew.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use unimig::diagnostic::Code;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> PathBuf {
    root().join("book/src")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `--help` prints, without the values of this machine's environment.
fn help(subcommand: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_unimig"))
        .args(subcommand)
        .arg("--help")
        .env_remove("UNIMIG_PROJECT_DIR")
        .env_remove("UNIMIG_PROFILES_DIR")
        .env("COLUMNS", "100")
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "unimig {} --help", subcommand.join(" "));
    let text = String::from_utf8(output.stdout).expect("help is text");
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The names under `Commands:`, without clap's own `help`.
fn subcommands(help: &str) -> Vec<String> {
    let after = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = after.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Every command with its help, those of `server` included.
fn commands() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for name in subcommands(&help(&[])) {
        let text = help(&[&name]);
        for inner in subcommands(&text) {
            found.insert(format!("{name} {inner}"), help(&[&name, &inner]));
        }
        found.insert(name, text);
    }
    found
}

fn commands_page() -> String {
    let mut page =
        "# Commands\n\nThis page is what `--help` prints. Exit codes are on [a page of their own](exit-codes.md).\n"
            .to_owned();
    page.push_str(&format!("\n## unimig\n\n```text\n{}\n```\n", help(&[])));
    let all = commands();
    for name in subcommands(&help(&[])) {
        let own = all.iter().filter(|(command, _)| **command == name || command.starts_with(&format!("{name} ")));
        for (command, text) in own {
            page.push_str(&format!("\n## unimig {command}\n\n```text\n{text}\n```\n"));
        }
    }
    page
}

#[test]
fn the_command_reference_is_current() {
    let path = pages().join("reference/commands.md");
    let page = commands_page();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "{} is not what --help prints\nhint: UPDATE_REFERENCE=1 cargo test --test book",
        path.display()
    );
}

#[test]
fn every_code_has_a_page_that_shows_it_and_every_page_a_code() {
    let folder = pages().join("diagnostics");
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    let files = fs::read_dir(&folder).expect("the folder of diagnostics").map(|entry| entry.expect("an entry").path());
    let stems = files.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
    let pages: BTreeSet<String> = stems.filter(|stem| stem != "index").collect();
    assert_eq!(codes, pages);
    let index = read(&folder.join("index.md"));
    for code in codes {
        let page = read(&folder.join(format!("{code}.md")));
        assert!(page.starts_with(&format!("# {code}\n")), "{code}: the heading");
        assert!(page.contains(&format!("[{code}]: ")), "{code}: a message with the code in brackets");
        assert!(page.contains("\n## How to mend it\n"), "{code}: how to mend it");
        assert!(index.contains(&format!("({code}.md)")), "{code} is not in the index");
    }
}

#[test]
fn the_page_of_all_keys_is_current() {
    let path = pages().join("reference/yaml-keys.md");
    let page = unimig::project::schema::page();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "{} is not what src/project/schema/keys.txt says\nhint: UPDATE_REFERENCE=1 cargo test --test book",
        path.display()
    );
}

fn markdown_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            markdown_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// The book, and the documents at the root of the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    markdown_files(&pages(), &mut found);
    let names = ["README.md", "ARCHITECTURE.md", "STYLE.md", "CONTRIBUTING.md", "DESIGN.md", "CHANGELOG.md"];
    found.extend(names.map(|name| root().join(name)));
    found.push(root().join("examples/quickstart/README.md"));
    found.sort();
    found
}

/// Lines outside of code blocks, and code blocks by their tag.
fn split_code(text: &str) -> (String, Vec<(String, String)>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(tag)) => open = Some((tag.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, body)), None) => body.push_str(&format!("{line}\n")),
            (None, None) => prose.push_str(&format!("{line}\n")),
        }
    }
    (prose, blocks)
}

#[test]
fn every_relative_link_leads_to_a_file() {
    for document in documents() {
        let (prose, _) = split_code(&read(&document));
        for (at, _) in prose.match_indices("](") {
            let link = prose[at + 2..].split(')').next().unwrap_or_default();
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = document.parent().expect("a folder").join(path);
            assert!(target.exists(), "{} links to {link}, which is not there", document.display());
        }
    }
}

#[test]
fn every_page_of_the_book_is_in_its_summary() {
    let summary = read(&pages().join("SUMMARY.md"));
    let mut found = Vec::new();
    markdown_files(&pages(), &mut found);
    for page in found {
        let name = page.strip_prefix(pages()).expect("a page of the book").display().to_string();
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "SUMMARY.md lacks {name}");
    }
}

#[test]
fn every_command_line_of_a_document_is_one_that_the_tool_takes() {
    let commands = commands();
    for document in documents() {
        let (_, blocks) = split_code(&read(&document));
        for (_, body) in blocks.iter().filter(|(tag, _)| tag == "console") {
            for line in body.lines().filter_map(|line| line.strip_prefix("$ unimig")) {
                for part in line.split("&& unimig") {
                    check_command_line(part, &commands).unwrap_or_else(|problem| {
                        panic!("{}: unimig{part}: {problem}", document.display());
                    });
                }
            }
        }
    }
}

/// Looks the subcommand and every flag up in the help.
fn check_command_line(line: &str, commands: &BTreeMap<String, String>) -> Result<(), String> {
    let line = line.split(" -- ").next().unwrap_or_default();
    let line = line.split([';', '|', '>', '#']).next().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some(first) = words.iter().position(|word| commands.contains_key(*word)) else {
        let asks_itself = words.iter().any(|word| ["--help", "--version"].contains(word));
        return if asks_itself { Ok(()) } else { Err("no such command".to_owned()) };
    };
    let pair = words.get(first + 1).map(|second| format!("{} {second}", words[first]));
    let help = pair.and_then(|pair| commands.get(&pair)).unwrap_or(&commands[words[first]]);
    for flag in words.iter().filter(|word| word.starts_with('-')) {
        let flag = flag.split('=').next().unwrap_or_default();
        let known = help.lines().map(str::trim_start).any(|line| {
            line.split([' ', ',']).take_while(|word| word.starts_with('-') || word.is_empty()).any(|word| word == flag)
        });
        if !known {
            return Err(format!("its help does not have {flag}"));
        }
    }
    Ok(())
}
