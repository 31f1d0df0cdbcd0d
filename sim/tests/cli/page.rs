//! `gatecrash page`.

use crate::{Folder, KICKED, kick, restless};

fn read(folder: &Folder, path: &str) -> String {
    std::fs::read_to_string(folder.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_page_is_written_here_and_called_as_its_scenario() {
    let folder = Folder::new("page").write("kick.toml", &kick(KICKED));
    let ran = folder.run("page kick.toml");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("kick.html: ") && ran.stdout.ends_with(" kB, passed\n"), "{}", ran.stdout);
    let page = read(&folder, "kick.html");
    assert!(page.starts_with("<!doctype html>"), "{}", &page[..100]);
    assert!(page.contains("<title>The second phone takes the seat of the first</title>"));
    assert!(!page.contains("{{"), "every mark of the template is filled");

    let ran = folder.run("page kick.toml --world event -o -");
    assert!(ran.exit == 0 && ran.stdout.starts_with("<!doctype html>") && ran.stdout.trim_end().ends_with("</html>"));
    let ran = folder.run("page kick.toml --world both -o both.html");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    let ran = folder.run("page --seed 1 --beside kick.toml --out two.html");
    assert!(ran.exit == 0 && read(&folder, "two.html").len() > page.len());
}

#[test]
fn the_exit_code_is_that_of_the_run() {
    let folder = Folder::new("page_ends").write("restless.toml", &restless());
    let ran = folder.run("page restless.toml");
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("restless.html: "), "{}", ran.stdout);
}

#[test]
fn a_broken_system_is_shown_with_what_is_wrong() {
    let folder = Folder::new("page_bug");
    let ran = folder.run("page --seed 11 --bug F06 --beside 11 -o bug.html");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""), "{}", ran.stdout);
    assert!(ran.stdout.trim_end().ends_with(" kB, violated"), "{}", ran.stdout);
}

#[test]
fn a_finding_is_found_by_its_name_and_shown_where_it_was_found() {
    let finding = "target/gatecrash/kick-1-told-5d0a11c2";
    let folder = Folder::new("page_finding").write(&format!("{finding}/shrunk.toml"), &kick(KICKED));
    let ran = folder.run("page kick-1-told-5d0a11c2");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("kick-1-told-5d0a11c2.html: "), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_shown_is_refused_with_the_reason() {
    let folder = Folder::new("page_refused").write("kick.toml", &kick(KICKED));
    for (words, exit, said) in [
        ("page", 3, "<FILE|FINDING>"),
        ("page nothing.toml", 3, "error: there is no finding nothing.toml: name its folder"),
        ("page --seed x", 3, "a seed is a number"),
        ("page kick.toml --beside 7x", 3, "error: there is no finding 7x"),
        ("page kick.toml --beside 7 --world both", 3, "error: --beside shows two runs already"),
        ("page kick.toml --open -o -", 3, "error: --open shows a file, and -o - writes none"),
        ("page kick.toml --bug Z99", 3, "error: there is no bug Z99: "),
        ("page kick.toml --world none", 3, "possible values: packet, event, both"),
        ("page kick.toml -o nowhere/kick.html", 4, "error: cannot write nowhere/kick.html: "),
    ] {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (exit, ""), "{words}");
        assert!(ran.stderr.contains(said), "{words}: {}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_page_is_opened_where_the_system_can() {
    use std::os::unix::fs::PermissionsExt as _;

    let opener = "#!/bin/sh\nprintf %s \"$1\" > \"$0.opened\"\n";
    let folder = Folder::new("page_open").write("kick.toml", &kick(KICKED)).write("programs/xdg-open", opener);
    let program = folder.0.join("programs/xdg-open");
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = folder.run_beside("programs", "page kick.toml --open");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert_eq!(read(&folder, "programs/xdg-open.opened"), "kick.html");

    let ran = folder.run_beside("nothing", "page kick.toml --open -o kept.html");
    assert_eq!(ran.exit, 4, "{}", ran.stdout);
    assert!(ran.stderr.starts_with("error: cannot open kept.html in a browser: "), "{}", ran.stderr);
    assert!(read(&folder, "kept.html").starts_with("<!doctype html>"), "it is written all the same");
}
