//! `gatecrash zoo --fields`: what of a trace could be wrong, and who would notice.

use crate::Folder;

#[test]
fn the_same_changes_are_made_in_every_process_and_with_any_number_of_jobs() {
    let folder = Folder::new("fields");
    let [one, two] = ["1", "3"].map(|jobs| {
        let ran = folder.run(&format!("zoo --fields --limit 4 --only told --json --jobs {jobs}"));
        assert_eq!(ran.exit, 0, "{}", ran.stdout);
        ran.json()
    });
    assert_eq!(one, two);
    let number = |key: &str| one[key].as_u64().unwrap();
    assert_eq!(number("noticed") + number("unnoticed") + number("panicked"), number("changed"));
    assert!(number("changed") > 10 && number("noticed") > 0, "{one}");
    assert_eq!(number("panicked"), 0, "{one}");
    let fields = one["fields"].as_array().unwrap();
    assert!(fields.iter().all(|row| row["field"].as_str().unwrap().starts_with("told/")), "{one}");
}

#[test]
fn what_nobody_notices_is_shown() {
    let ran = Folder::new("fields_show").run("zoo --fields --limit 2 --only told --only called --show");
    assert_eq!(ran.exit, 0);
    for said in [
        "noticed by\n",
        "told/connecting.epoch",
        "called/login.user",
        " changes noticed, ",
        " fields in the traces of ",
    ] {
        assert!(ran.stdout.contains(said), "{said:?} is missing in\n{}", ran.stdout);
    }
}

#[test]
fn an_event_that_is_none_is_bad_input() {
    let ran = Folder::new("fields_unknown").run("zoo --fields --only tolled.epoch");
    assert_eq!(ran.exit, 3);
    assert!(ran.stderr.contains("no event is called tolled.epoch"), "{}", ran.stderr);
}
