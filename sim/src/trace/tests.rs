//! A hand-made run, recorded, shown and summed up.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatecrash::client;
use gatecrash::id::{CallId, Change, ConnectionId, DeviceId, Epoch, UserId};
use gatecrash::policy::Platform;
use gatecrash::protocol;
use gatecrash::server;
use gatecrash::store;
use gatecrash::ticket::{Claims, Opened, Signature, Ticket};
use gatecrash::time::{Now, WallTime};

use super::ledger::Section;
use super::render::{Paint, Show, View};
use super::*;
use crate::scenario::{self, Direction};

const START: u64 = 1_700_000_000;

/// Two phones of one user: the second displaces the first, whose kick is lost.
struct Run {
    recorder: Recorder,
    at: Instant,
}

fn cast() -> Cast {
    let mut cast = Cast::default();
    let (home, office) = (cast.add_site("home"), cast.add_site("office"));
    cast.add_device("phone-1", Platform::Android, home);
    cast.add_device("phone-2", Platform::Android, office);
    cast
}

fn device(number: usize) -> DeviceIndex {
    DeviceIndex::new(number - 1)
}

fn id(number: usize) -> DeviceId {
    DeviceId::from_bytes([number as u8; 16])
}

fn alice() -> UserId {
    "alice".parse().expect("a user id")
}

fn claims() -> Claims {
    Claims { app_id: 1, user: Some(alice()), issued_at: START, ttl: 604_800, signature: Signature([9; 32]) }
}

fn attempt(count: u32) -> Attempt {
    Attempt { start: 1, count }
}

impl Run {
    fn new() -> Self {
        Run { recorder: Recorder::new(cast()), at: Instant::ZERO }
    }

    fn later(&mut self, milliseconds: u64) -> &mut Self {
        self.at = self.at + Duration::from_millis(milliseconds);
        self
    }

    fn now(&self) -> Now {
        Now { instant: self.at, wall: WallTime::from_seconds(START) + (self.at - Instant::ZERO) }
    }

    fn hears(&self, connection: u32, frame: protocol::ClientFrame<gatecrash::ticket::OpenedTicket>) {
        let input = server::Input::Frame { connection: ConnectionId(connection), frame };
        self.recorder.server_input(self.now(), &input);
    }

    fn answers(&self, connection: u32, reveals: u64, frame: protocol::ServerFrame) {
        let action = server::Action::Send { connection: ConnectionId(connection), frame };
        self.recorder.server_output(self.now(), &server::Output { reveals: Change(reveals), action });
    }

    fn commits(&self, number: u64, facts: Vec<store::Fact>) {
        let action = server::Action::Commit(store::Commit { number: Change(number), facts });
        self.recorder.server_output(self.now(), &server::Output { reveals: Change::NONE, action });
        self.recorder.server_committed(self.now(), Change(number));
    }

    fn takes(&self, number: usize, input: client::Input) {
        self.recorder.device_input(self.at, device(number), &input);
    }

    fn does(&self, number: usize, action: client::Action) {
        let output = client::Output { reveals: Change::NONE, action };
        self.recorder.device_output(self.at, device(number), &output);
    }

    fn accepted(&self, number: usize) -> store::Fact {
        store::Fact::SessionAccepted {
            user: alice(),
            device: id(number),
            platform: Platform::Android,
            epoch: Epoch(number as u64),
            attempt: attempt(1),
            ticket: store::SessionTicket::from(&claims()),
            keeper_before: None,
        }
    }

    fn login(&mut self, number: usize, before: Vec<store::Fact>) {
        let connection = ConnectionId(1);
        let (user, call, text) = ("alice".to_owned(), CallId(1), Ticket::from("alice's ticket"));
        self.recorder.ticket_made(self.at, None, Some("alice"), &text, Some(&claims()));
        self.takes(
            number,
            client::Input::Call {
                call,
                request: client::Call::Login { user: user.clone(), ticket: text.clone(), lasts: None },
            },
        );
        self.does(number, client::Action::Status { status: Status::Logining, login_user: None });
        self.does(number, client::Action::Event(client::Event::Connecting));
        self.does(number, client::Action::Connect { connection });
        let hello = protocol::ClientFrame::Hello { version: 1, device: id(number), platform: Platform::Android };
        let login = protocol::ClientFrame::Login { call, attempt: attempt(1), user, ticket: text, known_ended: None };
        self.does(number, client::Action::Send { connection, frame: hello.clone() });
        self.does(number, client::Action::Send { connection, frame: login.clone() });
        self.later(30);
        let server_connection = number as u32;
        self.recorder.server_input(self.now(), &server::Input::Opened { connection: ConnectionId(server_connection) });
        let opened = Opened { claims: claims(), signature_fits: true };
        self.hears(server_connection, hello.map_ticket(|_| Ok(opened)));
        self.hears(server_connection, login.map_ticket(|_| Ok(opened)));
        let change = number as u64;
        let mut facts = before;
        facts.push(self.accepted(number));
        facts.push(store::Fact::AttemptRaised { user: alice(), device: id(number), attempt: attempt(1) });
        self.commits(change, facts);
        let admission =
            protocol::Admission { epoch: Epoch(change), conversations: Vec::new(), terms: protocol::Terms::default() };
        let answer = protocol::ServerFrame::LoginAnswer { call, outcome: Ok(admission) };
        self.answers(server_connection, change, answer.clone());
        self.later(30);
        self.takes(number, client::Input::Frame { connection, frame: answer });
        self.does(number, client::Action::Status { status: Status::Logined, login_user: Some(alice()) });
        self.does(number, client::Action::Event(client::Event::ConnectSuccess));
        self.does(number, client::Action::Result { call, outcome: Ok(client::Reply::Done) });
    }

    fn kick(&self) -> protocol::Kick {
        let by = Some(id(2).public_name());
        protocol::Kick { user: alice(), epoch: Epoch(1), reason: KickReason::SamePlatform, by }
    }

    fn story(mut self) -> Trace {
        self.login(1, vec![store::Fact::AccountCreated { user: alice() }]);
        self.later(1_000);
        let home: scenario::SiteName = "home".parse().expect("a name");
        let fault = scenario::Fault::Partition { site: home.clone(), direction: Direction::Both };
        self.recorder.fault(self.at, &fault);
        let home = self.recorder.cast(|cast| cast.find_site("home")).expect("a site");
        self.recorder.effect(self.at, Effect::Link { site: home, outbound: false, inbound: false });
        let ended = store::Fact::SessionEnded {
            user: alice(),
            device: id(1),
            epoch: Epoch(1),
            reason: EndReason::SamePlatform,
            by: Some(id(2).public_name()),
        };
        self.login(2, vec![ended]);
        self.answers(1, 2, protocol::ServerFrame::Kick(self.kick()));
        // Far later, on another connection, the kick comes through.
        self.later(60_000);
        self.takes(1, client::Input::Closed { connection: ConnectionId(1) });
        self.does(1, client::Action::Note(client::Note::LinkLost));
        let delay = Duration::from_millis(130);
        self.does(1, client::Action::Note(client::Note::BackOff { attempt: 1, delay }));
        self.later(130);
        let answer = protocol::ServerFrame::ResumeAnswer {
            attempt: attempt(2),
            outcome: protocol::ResumeOutcome::Kicked(self.kick()),
        };
        self.answers(1, 2, answer.clone());
        self.later(30);
        self.takes(1, client::Input::Frame { connection: ConnectionId(2), frame: answer });
        self.does(1, client::Action::Status { status: Status::Logout, login_user: None });
        self.does(1, client::Action::Event(client::Event::KickedOffline(self.kick())));
        self.recorder.converged(self.at);
        self.recorder.finish()
    }
}

const STORY: &str = r#"
    0.000  phone-1 <= app      login user=alice ticket=t1 ttl=7d call=1
    0.000  phone-1             status LOGINING
    0.000  phone-1 => app      connecting user=alice
    0.000  phone-1 -> server   login call=1 attempt=1.1 user=alice
    0.030  server              commit 1 {account alice; session accepted alice/phone-1 epoch 1}
    0.030  server -> phone-1   login_accepted call=1 epoch=1 commit=1
    0.060  phone-1             status LOGINED login_user=alice
    0.060  phone-1 => app      connect_success user=alice epoch=1
    0.060  phone-1 => app      login answered: ok user=alice call=1
    1.060  world               fault partition home both
    1.060  phone-2 <= app      login user=alice ticket=t1 ttl=7d call=1
    1.060  phone-2             status LOGINING
    1.060  phone-2 => app      connecting user=alice
    1.060  phone-2 -> server   login call=1 attempt=1.1 user=alice
    1.090  server              commit 2 {session ended alice/phone-1 epoch 1 same_platform by phone-2; session accepted alice/phone-2 epoch 2}
    1.090  server -> phone-2   login_accepted call=1 epoch=2 commit=2
    1.120  phone-2             status LOGINED login_user=alice
    1.120  phone-2 => app      connect_success user=alice epoch=2
    1.120  phone-2 => app      login answered: ok user=alice call=1
    1.120  server -> phone-1   kick user=alice epoch=1 by=phone-2 reason=same_platform commit=2  LOST
   61.120  phone-1             link lost
   61.120  phone-1             tries again in 0.130s (attempt 1)
   61.250  server -> phone-1   resume_kicked attempt=1.2 user=alice epoch=1 by=phone-2 reason=same_platform commit=2
   61.280  phone-1             status LOGOUT
   61.280  phone-1 => app      kicked_offline by=phone-2 reason=same_platform user=alice epoch=1
   61.280  world               converged
"#;

#[test]
fn an_event_is_small() {
    assert_eq!(std::mem::size_of::<Event>(), 64);
}

#[test]
fn a_story_reads_like_one() {
    let trace = Run::new().story();
    assert_eq!(render::lines(&trace, &Show::all(View::Story)), STORY.trim_start_matches('\n'));
}

/// What is kept of it, where the script has a step at 0 s and at 1.060 s.
const KEPT: &str = r#"
    0.000  phone-1 <= app      login user=alice ticket=t1 ttl=7d call=1
           phone-1             status LOGINING
           phone-1 => app      connecting user=alice
           phone-1 -> server   login call=1 attempt=1.1 user=alice
           server              commit 1 {account alice; session accepted alice/phone-1 epoch 1}
           server -> phone-1   login_accepted call=1 epoch=1 commit=1
           phone-1             status LOGINED login_user=alice
           phone-1 => app      connect_success user=alice epoch=1
           phone-1 => app      login answered: ok user=alice call=1
    1.060  world               fault partition home both
    1.060  phone-2 <= app      login user=alice ticket=t1 ttl=7d call=1
           phone-2             status LOGINING
           phone-2 => app      connecting user=alice
           phone-2 -> server   login call=1 attempt=1.1 user=alice
           server              commit 2 {session ended alice/phone-1 epoch 1 same_platform by phone-2; session accepted alice/phone-2 epoch 2}
           server -> phone-2   login_accepted call=1 epoch=2 commit=2
           phone-2             status LOGINED login_user=alice
           phone-2 => app      connect_success user=alice epoch=2
           phone-2 => app      login answered: ok user=alice call=1
           server -> phone-1   kick user=alice epoch=1 by=phone-2 reason=same_platform commit=2  LOST
           phone-1             link lost
           phone-1             tries again in 0.130s (attempt 1)
    +60 s  server -> phone-1   resume_kicked attempt=1.2 user=alice epoch=1 by=phone-2 reason=same_platform commit=2
           phone-1             status LOGOUT
           phone-1 => app      kicked_offline by=phone-2 reason=same_platform user=alice epoch=1
           world               converged
"#;

fn kept(trace: &Trace, steps: &[u64]) -> String {
    render::kept(trace, &steps.iter().map(|millis| Instant::from_micros(millis * 1_000)).collect())
}

#[test]
fn a_story_is_kept_without_what_latencies_move() {
    let trace = Run::new().story();
    assert_eq!(kept(&trace, &[0, 1_060]), KEPT.trim_start_matches('\n'));
    // What is called inside a listener is no step.
    let by_itself = kept(&trace, &[0]);
    assert!(by_itself.contains("\n           phone-2 <= app      login user=alice"), "{by_itself}");
}

/// So many milliseconds behind the one before, this is recorded.
type Moment<'a> = (u64, &'a dyn Fn(&Run));

/// A story of one device, told by these.
fn kept_of(told: &[Moment<'_>]) -> String {
    let mut run = Run::new();
    for (millis, tell) in told {
        run.later(*millis);
        tell(&run);
    }
    kept(&run.recorder.finish(), &[])
}

fn opens(number: u32) -> impl Fn(&Run) {
    move |run| {
        let hello =
            protocol::ClientFrame::Hello { version: 1, device: id(number as usize), platform: Platform::Android };
        run.does(number as usize, client::Action::Send { connection: ConnectionId(number), frame: hello.clone() });
        run.recorder.server_input(run.now(), &server::Input::Opened { connection: ConnectionId(number) });
        let opened = Opened { claims: claims(), signature_fits: true };
        run.hears(number, hello.map_ticket(|_| Ok(opened)));
    }
}

fn decides(number: u64) -> impl Fn(&Run) {
    move |run| run.commits(number, vec![run.accepted(number as usize)])
}

fn tells(connection: u32, reveals: u64) -> impl Fn(&Run) {
    move |run| run.answers(connection, reveals, protocol::ServerFrame::Kick(run.kick()))
}

fn hangs_up(number: u32) -> impl Fn(&Run) {
    move |run| {
        let action = server::Action::Close { connection: ConnectionId(number) };
        run.recorder.server_output(run.now(), &server::Output { reveals: Change::NONE, action });
    }
}

/// The first words of each line, and what its first column says.
fn outline(kept: &str) -> Vec<String> {
    let line = |line: &str| {
        let (when, rest) = line.split_at(11);
        let words: Vec<&str> = rest.split_whitespace().filter(|word| !word.starts_with("user=")).take(4).collect();
        format!("{} {}", when.trim(), words.join(" ")).trim().to_owned()
    };
    kept.lines().map(line).collect()
}

#[test]
fn a_wait_is_since_the_server_last_had_to_do_with_that_device() {
    let open = [opens(1), opens(2)];
    let close = [hangs_up(1), hangs_up(2)];
    let told = kept_of(&[(0, &open[0]), (8_000, &open[1]), (7_400, &close[0]), (7_000, &close[1])]);
    assert_eq!(
        outline(&told),
        ["+15 s server -- phone-1 closes", "+14 s server -- phone-2 closes"],
        "rounded to whole seconds: {told}"
    );
    let soon = kept_of(&[(0, &open[0]), (999, &close[0])]);
    assert_eq!(outline(&soon), ["server -- phone-1 closes"], "{soon}");
}

#[test]
fn an_answer_stands_behind_its_commit_and_passes_nothing_to_the_same_device() {
    let (open, decide) = ([opens(1), opens(2)], [decides(1), decides(2)]);
    let tell = |connection, reveals| tells(connection, reveals);
    let (first, second, other) = (tell(1, 1), tell(2, 2), tell(1, 2));
    let both: [Moment<'_>; 4] = [(0, &open[0]), (0, &open[1]), (0, &decide[0]), (0, &decide[1])];
    let of = |more: &[Moment<'_>]| outline(&kept_of(&[&both[..], more].concat()));
    let commits = ["server commit 1 {session", "server commit 2 {session"];
    let [one, two] = ["server -> phone-1 kick", "server -> phone-2 kick"];
    assert_eq!(of(&[(1, &first), (0, &second)]), [commits[0], one, commits[1], two]);
    assert_eq!(of(&[(1, &second), (5, &first)]), [commits[0], one, commits[1], two]);
    // The second frame to phone-1 may not come before the first.
    assert_eq!(of(&[(1, &other), (0, &first)]), [commits[0], commits[1], one, one]);
    // What a slow disk wrote is told where it is, and from a second on with how long that took.
    assert_eq!(of(&[(11, &first)]), [commits[0], commits[1], one]);
    let late = ["+1 s", one].join(" ");
    assert_eq!(of(&[(1_000, &first)]), [commits[0], commits[1], &late]);
}

#[test]
fn everything_shows_every_event() {
    let trace = Run::new().story();
    let all = render::lines(&trace, &Show::all(View::Everything));
    assert_eq!(all.lines().count(), trace.events.len());
    for line in [
        "    0.030  server <- phone-1   hello version=1 platform=android installation=1 connection=1",
        "    0.030  server              commit 1 wall=1700000000.030s",
        "    0.030  server                attempt raised device=phone-1 installation=1 attempt=1.1",
        "    0.030  server              on disk up to commit 1",
        "    1.060  world               effect link site=home outbound=no inbound=no",
        "    1.060  phone-2 -> server   login call=1 attempt=1.1 user=alice ticket=t1 connection=1",
        "   61.120  phone-1 -- server   the connection is gone connection=1",
    ] {
        assert!(all.lines().any(|shown| shown == line), "{line:?} is not in\n{all}");
    }
}

#[test]
fn a_view_can_stop_early_and_mix_in_logs() {
    let trace = Run::new().story();
    let logged = |millis: u64, who: &str| log::LogLine {
        at: Instant::from_micros(millis * 1_000),
        level: tracing::Level::DEBUG,
        who: who.to_owned(),
        target: "gatecrash::driver".to_owned(),
        text: "reads a frame connection=1".to_owned(),
    };
    let log = [logged(10, "phone-1"), logged(40, ""), logged(9_000, "phone-2")];
    let selection = select::Selection { until: Some(Instant::from_micros(60_000)), ..select::Selection::default() };
    let (only, log) = (selection.of(&trace), selection.of_log(&trace.cast, log.to_vec()));
    let shown = render::lines(&trace, &Show { only: Some(&only), log: &log, ..Show::all(View::Story) });
    let shown: Vec<&str> = shown.lines().collect();
    assert_eq!(shown.len(), 9 + 2);
    assert_eq!(shown[4], "    0.010  phone-1             debug gatecrash::driver: reads a frame connection=1");
    assert_eq!(shown[7], "    0.040  -                   debug gatecrash::driver: reads a frame connection=1");
}

#[test]
fn an_event_is_shown_among_its_neighbours() {
    let trace = Run::new().story();
    let kicked = |event: &Event| matches!(event.what, What::Told { event: Told::KickedOffline { .. }, .. });
    let position = trace.events.iter().position(kicked).expect("a kick");
    let story: Vec<&str> = STORY.trim_start_matches('\n').lines().collect();
    let around = |position, before, after| render::around(&trace, position, before, after, Paint::Plain);
    let shown = around(position, 2, 1);
    let expected = format!("  {}\n  {}\n> {}\n  {}\n", story[22], story[23], story[24], story[25]);
    assert_eq!((shown.text, shown.marked), (expected, format!("> {}\n", story[24])));
    assert_eq!(shown.positions.len(), 4);

    let fact = |event: &Event| matches!(event.what, What::Fact { fact: Fact::SessionEnded { .. }, .. });
    let position = trace.events.iter().position(fact).expect("an end");
    let ended = "    1.090  server                session ended user=alice device=phone-1 installation=1 epoch=1 \
                 reason=same_platform by=phone-2";
    assert_eq!(around(position, 1, 0).text, format!("  {}\n> {ended}\n", story[14]));

    let hidden = |event: &Event| matches!(event.what, What::Gone { .. });
    let position = trace.events.iter().position(hidden).expect("a lost connection");
    assert_eq!(
        around(position, 0, 0).text,
        "> \u{20}  61.120  phone-1 -- server   the connection is gone connection=1\n"
    );
    assert_eq!(trace.position(Actor::Device(device(1)), trace.events[position].number), Some(position));
}

#[test]
fn equal_runs_have_equal_digests_in_every_build() {
    let trace = Run::new().story();
    assert_eq!(trace.digest, Run::new().story().digest);
    assert_eq!(trace.digest.to_string(), "aaf00899c74b9e4b");
}

/// One change anywhere shows.
#[test]
fn any_change_changes_the_digest() {
    let sum = |spoil: &dyn Fn(&mut Run)| {
        let mut run = Run::new();
        run.login(1, Vec::new());
        spoil(&mut run);
        run.later(10);
        run.answers(1, 1, protocol::ServerFrame::Kick(run.kick()));
        run.recorder.digest()
    };
    let heartbeat = |run: &Run| {
        run.does(1, client::Action::Send { connection: ConnectionId(1), frame: protocol::ClientFrame::Heartbeat })
    };
    let text = |run: &Run, text: &str| {
        let request = client::Call::SendMessage { id: None, to: "bob".to_owned(), text: text.to_owned() };
        run.takes(1, client::Input::Call { call: CallId(2), request });
    };
    let mut digests = vec![
        sum(&|_| {}),
        sum(&|run| run.at = run.at + Duration::from_millis(1)),
        sum(&|run| heartbeat(run)),
        sum(&|run| text(run, "one")),
        sum(&|run| text(run, "two")),
        sum(&|run| run.does(1, client::Action::DropEvents { given_up: Code::NotLoggedIn.into() })),
        sum(&|run| run.does(2, client::Action::DropEvents { given_up: Code::NotLoggedIn.into() })),
        sum(&|run| run.takes(1, client::Input::Woken)),
        sum(&|run| run.takes(1, client::Input::Stored { change: Change(1) })),
        sum(&|run| run.takes(1, client::Input::Stored { change: Change(2) })),
        sum(&|run| run.recorder.effect(run.at, Effect::ProcessDead { device: device(1) })),
        sum(&|run| run.recorder.not_converged(run.at, "phone-1 has no answer")),
        sum(&|run| run.recorder.script_ended(run.at)),
    ];
    let number = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), number);
    assert_ne!(Recorder::new(cast()).digest(), Recorder::new(Cast::default()).digest());
}

#[test]
fn json_lines_name_everything() {
    let trace = Run::new().story();
    let text = json::lines(&trace);
    assert_eq!(text.lines().count(), trace.events.len());
    for (line, event) in text.lines().zip(&trace.events) {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line is an object");
        assert_eq!(value["at_us"], event.at.as_micros());
        assert_eq!(value["what"], event.what.word());
        let mut fields = 0;
        event.what.fields(&mut |name, _| {
            assert!(value.get(name).is_some(), "{name} is missing in {line}");
            fields += 1;
        });
        assert_eq!(value.as_object().expect("an object").len(), 4 + fields, "two fields of one name in {line}");
    }
    let kick = text.lines().find(|line| line.contains("server_sent") && line.contains("\"kick\"")).expect("a kick");
    assert_eq!(
        kick,
        "{\"at_us\":1120000,\"actor\":\"server\",\"number\":19,\"what\":\"server_sent\",\"connection\":1,\
         \"peer\":\"phone-1\",\"reveals\":2,\"frame\":\"kick\",\"user\":\"alice\",\"epoch\":1,\"by\":\"phone-2\",\
         \"reason\":\"same_platform\"}"
    );
}

/// A reader of a line that has a key twice sees one of the two values.
#[test]
fn no_field_has_the_name_of_what_every_line_has() {
    let presence = protocol::Presence::Online;
    let fact = Fact::PresenceChanged { user: UserIndex::new(0), sequence: 1, presence, kicked: None };
    What::Fact { commit: 1, fact }.fields(&mut |name, _| {
        assert!(!["at_us", "actor", "number", "what"].contains(&name), "{name}");
    });
}

#[test]
fn the_ledger_counts_and_large_casts_are_told_by_it() {
    let mut trace = Run::new().story();
    let ledger = Ledger::of(&trace);
    assert_eq!((ledger.accepted(), ledger.displaced()), (2, 1));
    assert_eq!(ledger.number(Section::Result, "login ok"), 2);
    assert_eq!(ledger.number(Section::Event, "kicked_offline"), 1);
    assert_eq!(ledger.number(Section::ServerFrame, "kick"), 1);
    assert_eq!(ledger.number(Section::Fault, "partition"), 1);
    assert_eq!(ledger.events, trace.events.len() as u64);
    let first = "simulated seconds                                 61.280\n";
    assert!(ledger.to_string().starts_with(first), "{ledger}");
    assert!(ledger.to_string().contains("fact          session_accepted                         2\n"), "{ledger}");

    for number in 3..=render::STORY_DEVICES_MAX + 1 {
        trace.cast.add_device(&format!("phone-{number}"), Platform::Android, SiteIndex::new(0));
    }
    let told = kept(&trace, &[]);
    let whole = "simulated seconds                                     61\ncall          login ";
    assert!(
        told.starts_with(whole) && told.ends_with("phase         converged                                1\n"),
        "{told}"
    );
    assert!(ledger.to_string().contains("commit        on disk ") && !told.contains("on disk"), "{told}");
}

#[test]
fn observers_see_what_a_streaming_recorder_does_not_keep() {
    let kept = Run::new().story();
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let run = Run { recorder: Recorder::streaming(cast()), at: Instant::ZERO };
    run.recorder.add_observer(Box::new(Arc::clone(&ledger)));
    let streamed = run.story();
    assert!(streamed.events.is_empty());
    assert_eq!(streamed.digest, kept.digest);
    assert_eq!(*ledger.lock().expect("unpoisoned"), Ledger::of(&kept));
}

#[test]
fn a_device_keeps_its_name_under_a_new_id() {
    let run = Run::new();
    let install = |number: u8, starts: u32| {
        let mut installation = client::Installation::new(DeviceId::from_bytes([number; 16]));
        installation.starts = starts;
        run.does(1, client::Action::Store { change: Change(1), write: client::Write::Installation(installation) });
    };
    install(1, 1);
    install(1, 2);
    install(7, 1);
    run.commits(
        1,
        vec![
            store::Fact::EndForgotten { user: alice(), device: DeviceId::from_bytes([7; 16]) },
            store::Fact::EndForgotten { user: alice(), device: DeviceId::from_bytes([8; 16]) },
        ],
    );
    let trace = run.recorder.finish();
    let numbers: Vec<u16> = trace
        .events
        .iter()
        .filter_map(|event| match event.what {
            What::StoreAsked { write: Write::Installation { installation, .. }, .. } => Some(installation),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 1, 2]);
    let forgotten = |device| What::Fact { commit: 1, fact: Fact::EndForgotten { device } };
    assert!(trace.events.iter().any(|event| event.what == forgotten(device(1))));
    assert!(trace.events.iter().any(|event| event.what == forgotten(DeviceIndex::STRANGER)));
}

#[test]
fn a_result_says_whose_call_it_answers_and_uninit_returns() {
    let run = Run::new();
    let call = |call: u64, request| run.takes(1, client::Input::Call { call: CallId(call), request });
    let result = |call: u64, outcome| run.does(1, client::Action::Result { call: CallId(call), outcome });
    call(1, client::Call::Login { user: "no such name!".to_owned(), ticket: Ticket::from(""), lasts: None });
    result(1, Err(Code::InvalidUserId.into()));
    call(2, client::Call::Uninit);
    result(2, Ok(client::Reply::Done));
    result(2, Ok(client::Reply::Done));
    let trace = run.recorder.finish();
    let shown = render::lines(&trace, &Show::all(View::Everything));
    let shown: Vec<&str> = shown.lines().map(|line| line.split_at(31).1).collect();
    assert_eq!(
        shown,
        [
            "login user=\"no such name!\" ticket=t1 call=1",
            "login answered: [7003] the user id is not valid user=\"no such name!\" call=1",
            "uninit call=2",
            "uninit answered: ok call=2",
            "uninit returned call=2",
            "unasked answered: ok call=2",
        ]
    );
}

#[test]
fn logs_know_when_and_who() {
    use tracing_subscriber::layer::SubscriberExt;

    let caught = log::Log::default();
    let subscriber = tracing_subscriber::registry().with(caught.layer(|| Instant::from_micros(2_000_000)));
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("device", device = "phone-1");
        span.in_scope(|| {
            let inner = tracing::debug_span!("link", connection = 3);
            inner.in_scope(|| tracing::warn!(bytes = 7, "cannot read"));
        });
        let server: Arc<str> = "server".into();
        let entered = log::enter(&server);
        tracing::info!("listens");
        drop(entered);
        tracing::info!("nobody");
    });
    let lines = caught.lines();
    let shown: Vec<(&str, &str)> = lines.iter().map(|line| (line.who.as_str(), line.text.as_str())).collect();
    assert_eq!(shown, [("phone-1", "cannot read bytes=7 connection=3"), ("server", "listens"), ("", "nobody")]);
    assert_eq!((lines[0].at, lines[0].level), (Instant::from_micros(2_000_000), tracing::Level::WARN));
    assert_eq!(caught.dropped(), 0);
}
