//! A system of a few lines, good or wrong in one way, in the world.

mod product;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::scenario::Scenario;

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Good,
    AnswersTwice,
    Mute,
    Panics,
    SpawnsOutside,
    ServerEnds,
}

/// Logs in by asking the server once, and keeps the connection.
#[derive(Clone)]
struct Tiny(Way);

struct Phone {
    way: Way,
    place: DevicePlace,
    events: Events,
    status: Rc<RefCell<Status>>,
}

impl System for Tiny {
    type Device = Phone;

    fn name(&self) -> &str {
        "tiny 1"
    }

    fn settles_within(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn seats(&self) -> Seats {
        Seats::new(Policy::Multi, &Default::default()).expect("one device of each platform")
    }

    fn knows(&self) -> Vocabulary {
        Vocabulary { files: true, ..Vocabulary::default() }
    }

    async fn serve(self, place: ServerPlace) -> io::Result<()> {
        let listener = place.listen().await?;
        if self.0 == Way::ServerEnds {
            return Ok(());
        }
        loop {
            let mut stream = place.accept(&listener).await?;
            tokio::task::spawn_local(async move {
                let mut byte = [0];
                while stream.read(&mut byte).await.is_ok_and(|count| count > 0) {
                    if stream.write_all(&byte).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    fn start(&self, place: DevicePlace, events: Events) -> Phone {
        let user = place.disk().read("user").map(|user| String::from_utf8_lossy(&user).into_owned());
        let status = user.map_or(Status::Logout, Status::Logined);
        Phone { way: self.0, place, events, status: Rc::new(RefCell::new(status)) }
    }
}

impl Device for Phone {
    fn login(&self, user: &str, ticket: &Ticket, reply: Reply) {
        assert!(self.way != Way::Panics, "nobody logs in here");
        assert_eq!(ticket.user, user);
        if self.way == Way::SpawnsOutside {
            tokio::spawn(std::future::pending::<()>());
        }
        let (way, place, events, status, user) =
            (self.way, self.place.clone(), self.events.clone(), Rc::clone(&self.status), user.to_owned());
        tokio::task::spawn_local(async move {
            let asked = async {
                let mut stream = place.connect().await?;
                stream.write_all(b"x").await?;
                stream.read_u8().await
            };
            let outcome = if asked.await.is_ok() { Outcome::Ok } else { Outcome::Failed(7) };
            if outcome == Outcome::Ok {
                place.disk().write("user", user.as_bytes());
                *status.borrow_mut() = Status::Logined(user);
                events.tell(Told::ConnectSuccess);
            }
            if way != Way::Mute {
                reply.answer(outcome);
            }
            if way == Way::AnswersTwice {
                reply.answer(outcome);
            }
        });
    }

    fn logout(&self, reply: Reply) {
        *self.status.borrow_mut() = Status::Logout;
        reply.answer(Outcome::Ok);
    }

    fn send(&self, _: &str, _: &str, _: &str, reply: Reply) {
        reply.answer(Outcome::Failed(8));
    }

    fn status(&self) -> Status {
        self.status.borrow().clone()
    }
}

fn parsed(steps: &str) -> Scenario {
    let text = format!(
        "title = \"Tiny\"\nrules = [\"LOGIN-3\"]\nseed = 1\napp.policy = \"multi\"\n\
         devices.phone = {{ platform = \"ios\", site = \"home\" }}\n\
         script.until = \"9s\"\nscript.steps = \"\"\"\n{steps}\n\"\"\"\n"
    );
    Scenario::parse("tiny.toml", &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"))
}

fn history(way: Way, steps: &str) -> String {
    run(&Tiny(way), &parsed(steps)).unwrap_or_else(|error| panic!("{error}")).history
}

/// The time and the rest of each line of the device, without what begins every run.
fn of_phone(history: &str) -> Vec<(u64, String)> {
    let lines = history.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let of_phone = lines.filter(|line| line["actor"] == "phone").filter(|line| line["at_us"] != 0);
    let of_phone = of_phone.filter(|line| line["request"] != "init" && line["kind"] != "init");
    let words = |line: &serde_json::Value| -> Vec<String> {
        let word = |field: &str| line[field].as_str().map(str::to_owned);
        ["what", "request", "outcome", "event", "status", "process", "link"].iter().filter_map(|it| word(it)).collect()
    };
    of_phone.map(|line| (line["at_us"].as_u64().expect("a time"), words(&line).join(" "))).collect()
}

fn words(history: &str) -> Vec<String> {
    of_phone(history).into_iter().map(|(_, words)| words).collect()
}

#[test]
fn a_login_is_called_answered_and_shows_in_the_status_and_the_history_says_who_kept_it() {
    let history = history(Way::Good, "1s phone login alice");
    assert_eq!(words(&history), ["called login", "told connect_success", "answered ok", "status LOGINED"]);
    assert!(history.starts_with(r#"{"history":1,"system":"tiny 1","policy":"multi","#), "{history:.200}");
    assert!(history.contains(
        r#"{"at_us":1000000,"actor":"phone","what":"called","call":1,"request":"login","user":"alice","platform":"ios"}"#
    ));
    assert!(history.ends_with("\"what\":\"end\",\"settled\":true}\n"), "{history}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_twice() {
    for seed in 0..30 {
        let scenario = scenario(&Tiny(Way::Good), seed);
        let one = run(&Tiny(Way::Good), &scenario).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let other = run(&Tiny(Way::Good), &scenario).expect("as before");
        assert_eq!(one.history, other.history, "seed {seed}");
        assert_eq!(one.digest(), other.digest());
    }
}

#[test]
fn a_frozen_device_hears_and_does_nothing_and_goes_on_where_it_was() {
    let steps = "1s phone login alice\n1.02s fault suspend phone\n5s fault wake phone";
    let history = of_phone(&history(Way::Good, steps));
    let answered = history.iter().find(|(_, words)| words == "answered ok").expect("it is answered");
    assert!(answered.0 >= 5_000_000, "{history:?}");
    assert_eq!(history[1].1, "process suspended");
}

#[test]
fn a_killed_process_says_nothing_more_and_what_it_wrote_is_there_at_its_next_start() {
    let steps = "1s phone login alice\n1.02s fault kill phone\n2s fault start phone";
    assert_eq!(words(&history(Way::Good, steps)), ["called login", "process dead", "process up", "status LOGOUT"]);
    let steps = "1s phone login alice\n2s fault kill phone\n3s fault start phone";
    assert_eq!(words(&history(Way::Good, steps)).last().map(String::as_str), Some("status LOGINED"));
    let steps = "1s phone login alice\n2s fault kill phone\n3s fault wipe phone\n3s fault start phone";
    assert_eq!(words(&history(Way::Good, steps)).last().map(String::as_str), Some("status LOGOUT"));
}

#[test]
fn a_link_is_down_while_the_server_cannot_be_reached() {
    for (breaks, mends) in [
        ("partition home", "repair home"),
        ("hold home", "release home"),
        ("crash server", "start server"),
        ("suspend server", "wake server"),
    ] {
        let history = of_phone(&history(Way::Good, &format!("1s fault {breaks}\n3s fault {mends}")));
        let (down, up) = ((1_000_000, "link down".to_owned()), (3_000_000, "link up".to_owned()));
        assert_eq!(history, [down, up], "{breaks}");
    }
}

#[test]
fn a_login_over_a_partition_fails_and_later_succeeds() {
    let steps = "1s fault partition home\n2s phone login alice\n3s fault repair home\n4s phone login alice";
    let words = words(&history(Way::Good, steps));
    assert_eq!(words[1..3], ["called login", "answered failed"]);
    assert!(words.contains(&"status LOGINED".to_owned()), "{words:?}");
}

#[test]
fn of_a_system_that_kicks_nobody_seeds_find_that_and_nothing_that_it_does_not_do() {
    let report = Seeds::new(0..20).shrink_with(0).run(&Tiny(Way::Good)).expect("nothing is written");
    // Nor does it notice that a connection is dead, so that a login over one may wait for ever.
    let expected = ["no more devices are logged in than have a seat", "a call gets a result"];
    let found: Vec<_> = report.findings.iter().map(|found| found.sentence.as_str()).collect();
    assert!(found.contains(&expected[0]) && found.iter().all(|sentence| expected.contains(sentence)), "{report}");
    assert_eq!(report.differs, None);
}

#[test]
fn a_second_result_is_found_and_shrunk_to_one_login() {
    let report = Seeds::new(0..4).run(&Tiny(Way::AnswersTwice)).expect("nothing is written");
    let found = report.findings.iter().find(|found| found.sentence == "a call gets no second result");
    let found = found.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(found.scenario.steps.len(), 1, "{report}");
    assert!(found.story.lines().any(|line| line.starts_with("▶ ")), "{report}");
    assert_eq!(found.rule.as_deref(), Some("LOGIN-3"));
}

#[test]
fn a_result_that_never_comes_is_found() {
    let run = run(&Tiny(Way::Mute), &parsed("1s phone login alice")).expect("it runs");
    assert_eq!(run.findings.len(), 1);
    assert_eq!(run.findings[0].text, "phone's login, call 1, never has a result");
    let dead = super::run(&Tiny(Way::Mute), &parsed("1s phone login alice\n2s fault kill phone")).expect("it runs");
    assert_eq!(dead.findings, [], "nobody waits for it any more");
}

#[test]
fn what_a_system_may_not_do_is_said_in_words() {
    let error = |way, steps: &str| run(&Tiny(way), &parsed(steps)).expect_err("no history").to_string();
    assert!(error(Way::Panics, "1s phone login alice").contains("nobody logs in here"));
    let said = error(Way::SpawnsOutside, "1s phone login alice");
    assert!(said.starts_with("tiny 1 has called tokio::spawn on phone"), "{said}");
    let said = error(Way::ServerEnds, "1s phone login alice");
    assert!(said.contains("the server's future ended by itself"), "{said}");
    let said = error(Way::Good, "1s phone init\n2s app policy multi\n3s fault disk-full server");
    assert!(
        said.starts_with("tiny 1 cannot do what the scenario asks:\n  `1s  phone  init`: a device's SDK"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn a_scenario_for_other_seats_is_refused() {
    let mut scenario = parsed("1s phone login alice");
    scenario.app.seats = Seats::default();
    let error = run(&Tiny(Way::Good), &scenario).expect_err("no history").to_string();
    assert!(error.contains("policy dual") && error.contains("the system has multi"), "{error}");
}
