//! The example of the book's chapter, as it stands there.

use super::project;

const PAGE: &str = include_str!("../../../book/src/concepts/crosswalks.md");

/// The first block of code of a language.
fn block(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let (_, after) = PAGE.split_once(&fence).expect("the page has such a block");
    after.split_once("```").expect("the block ends").0
}

#[test]
fn the_example_of_the_chapter_gives_everybody_an_id() {
    let test = project(block("yaml"));
    test.write("models/bl/person.sql", block("sql"));
    test.succeeds(&["run"]);
    assert_eq!(test.value("select count(*) || ' ' || count(distinct id) from app.person"), "80 80");
    test.succeeds(&["run"]);
    test.wrote_nothing();
}
