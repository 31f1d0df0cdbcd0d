//! `gatecrash drive --selftest`: whether an adapter keeps the protocol.

use gatecrash_sim::drive::{Place, selftest};
use gatecrash_sim::search::report::escaped;
use serde_json::json;

use super::super::{Colour, End, colours, complain, count, paint, say};

/// Looks, and says what it saw.
pub fn run(words: &[String], place: &Place, json: bool) -> End {
    // One text may be the whole command.
    let words: Vec<String> = match words {
        [all] => all.split_whitespace().map(str::to_owned).collect(),
        words => words.to_vec(),
    };
    if words.is_empty() {
        complain("error: --selftest needs the command that starts an adapter, such as `python3 adapter.py`");
        return End::BadInput;
    }
    let checks = match selftest(&words, place) {
        Ok(checks) => checks,
        Err(error) => {
            complain(format_args!("error: {error}"));
            return End::HarnessFailed;
        }
    };
    let wrong = checks.iter().filter(|check| check.wrong.is_some()).count();
    if json {
        let all = checks.iter().map(|check| json!({ "what": check.what, "wrong": check.wrong })).collect::<Vec<_>>();
        say(json!({ "checks": all, "wrong": wrong }));
    } else {
        let on = colours(&std::io::stdout());
        for check in &checks {
            match &check.wrong {
                None => say(format_args!("{}  {}", paint("ok   ", Colour::Green, on), check.what)),
                Some(why) => {
                    let why = escaped(why).replace('\n', "\n         ");
                    say(format_args!("{}  {}\n         {why}", paint("wrong", Colour::Red, on), check.what));
                }
            }
        }
        say(format_args!("{}, {wrong} of them wrong", count(checks.len(), "check")));
    }
    if wrong == 0 { End::Passed } else { End::Violated }
}
