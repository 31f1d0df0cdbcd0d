//! `gatecrashd check-config`: says of a configuration what `serve` would say of it, and makes nothing.

use std::process::{Command, Output};

use crate::authority::{Authority, Signed};
use crate::loopback::{APP, Directory};
use crate::reload::Log;
use crate::serve::{address_of, configured, ended, gatecrashd, stop, write_private};

pub fn command(directory: &Directory, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gatecrashd")).args(arguments).current_dir(&directory.0).output().unwrap()
}

/// How it ended, what it printed, and what it complained of.
pub fn said(output: &Output) -> (Option<i32>, &str, &str) {
    (output.status.code(), str::from_utf8(&output.stdout).unwrap(), str::from_utf8(&output.stderr).unwrap())
}

fn check(text: &str) -> (Directory, Output) {
    let directory = configured(text);
    let output = command(&directory, &["check-config", "--config", "app.toml"]);
    assert_eq!(std::fs::read_dir(&directory.0).unwrap().count(), 2, "it makes nothing");
    (directory, output)
}

#[test]
fn a_good_configuration_is_one_line_and_what_is_unwise_is_a_warning() {
    let long = "k".repeat(32);
    let (_, output) = check(&format!("app_id = {APP}\nkeys = [\"{long}\"]\n"));
    assert_eq!(said(&output), (Some(0), "app.toml: good\n", ""));

    let (_, output) = check(&format!("app_id = {APP}\nkey_files = [\"app.key\"]\n"));
    let warning = "warning: app.toml:2:14: a key of less than 32 bytes is easier to guess than its signatures\n";
    assert_eq!(said(&output), (Some(0), "app.toml: good\n", warning));
}

/// CONFIG-1: a key that others may read, of the app or of the certificate, is good and warned of, by `serve` too.
#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let directory = configured(&format!(
        "app_id = {APP}\nkey_files = [\"app.key\"]\n[tls]\nlisten = \"127.0.0.1:0\"\n\
         certificate = \"chain.pem\"\nkey = \"key.pem\"\n"
    ));
    let Signed { chain, key } = Authority::new().signs("localhost");
    write_private(&directory.0.join("app.key"), &"k".repeat(32));
    write_private(&directory.0.join("key.pem"), &key);
    std::fs::write(directory.0.join("chain.pem"), chain).unwrap();
    let checked = || command(&directory, &["check-config", "--config", "app.toml"]);
    assert_eq!(said(&checked()), (Some(0), "app.toml: good\n", ""));

    for name in ["app.key", "key.pem"] {
        std::fs::set_permissions(directory.0.join(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let [of_app, of_certificate] = [
        "app.toml:2:14: others may get at the key file 'app.key', its mode is 0644",
        "app.toml:6:7: others may get at the private key 'key.pem', its mode is 0644",
    ];
    let output = checked();
    let (code, out, warnings) = said(&output);
    assert_eq!((code, out, warnings.lines().count()), (Some(0), "app.toml: good\n", 2), "{warnings}");
    for warning in [of_app, of_certificate] {
        assert!(warnings.contains(&format!("warning: {warning}")), "{warnings}");
    }
    let mut process = gatecrashd(&directory, &["--log", "warn"]);
    address_of(&mut process);
    let mut log = Log::of(&mut process);
    stop(&process, "-HUP");
    // At the start, and again when it is told to read them.
    for warning in [of_app, of_certificate, of_app, of_certificate] {
        log.until(warning);
    }
    stop(&process, "-TERM");
}

/// INPUT-4, CONFIG-1, TLS-1: to check is to read what a server would read, keys and certificates too, and to be told the
/// same.
#[test]
fn what_is_wrong_is_told_in_the_words_of_serve() {
    for text in [
        "app_id = 7\nkey_files = [\"none.key\"]\npolcy = \"dual\"\n[max_instances]\nweb = 11\n",
        "app_id = 7\nkeys = [\"k\"]\nlisten = \"127.0.0.1:99999\"\nadministrators = [\"a b\"]\n",
        "app_id = 7\nkey_files = [\"app.key\"]\n\
         [tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"none.pem\"\nkey = \"none.pem\"\n",
        "app_id = \n",
        include_str!("../../docs/app.example.toml"),
    ] {
        let (directory, output) = check(text);
        let (code, out, problems) = said(&output);
        assert_eq!((code, out), (Some(3), ""), "{problems}");
        assert!(problems.starts_with("error: app.toml:"), "{problems}");
        assert_eq!(ended(gatecrashd(&directory, &[])), (Some(3), problems.to_owned()));
    }
    let output = command(&configured(""), &["check-config", "--config", "none.toml"]);
    assert_eq!(said(&output), (Some(3), "", "error: none.toml: No such file or directory (os error 2)\n"));
}
