//! Prints a scenario as a file that parses to the same value, and single steps and expectations as
//! the lines they have there.
//!
//! Prints no pattern: what was expanded stays so. Decides no layout beyond columns.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use gatecrash::id::UserId;
use gatecrash::policy::{Platform, Seats};

use super::duration::{print_duration, print_offset, print_span};
use super::line::print_quoted;
use super::{
    Action, Answer, App, AppChange, Call, Device, DeviceName, Expectation, Init, LimitOverrides, LimitValue, Offset,
    Scenario, Site, Step, TICK_DEFAULT, TICKS_FINE_FOR, Text, TicketChoice, TicketPlan, Window,
};

/// The first line of a printed file: it tells editors where the schema of the header is.
const SCHEMA_LINE: &str = "#:schema ../docs/scenario.schema.json";

/// Words that mean something where a user or a device can stand: as names they are put in quotes.
const KEYWORDS: [&str; 4] = ["at", "between", "nobody", "none"];

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{SCHEMA_LINE}")?;
        writeln!(f, "title = {}", toml_text(&self.title))?;
        let rules: Vec<String> = self.rules.iter().map(|rule| format!("\"{rule}\"")).collect();
        writeln!(f, "rules = [{}]", rules.join(", "))?;
        match i64::try_from(self.seed) {
            Ok(seed) => writeln!(f, "seed = {seed}")?,
            Err(_) => writeln!(f, "seed = \"{}\"", self.seed)?,
        }
        if self.tick != TICK_DEFAULT || self.until > TICKS_FINE_FOR {
            writeln!(f, "tick = \"{}\"", print_duration(self.tick))?;
        }
        if let Some(reason) = &self.verdict_only {
            writeln!(f, "verdict_only = {}", toml_text(reason))?;
        }
        if let Some(bound) = self.converge {
            writeln!(f, "converge = \"{}\"", print_duration(bound))?;
        }
        print_app(&self.app, f)?;
        print_limits(&self.limits, f)?;
        print_table("sites", &self.sites, f, print_site)?;
        print_table("devices", &self.devices, f, print_device)?;
        print_table("tickets", &self.tickets, f, print_ticket)?;
        writeln!(f, "\n[script]\nuntil = \"{}\"", print_duration(self.until))?;
        let steps = self.steps.iter().map(|step| {
            let (actor, action) = print_action(&step.action);
            vec![print_duration(step.at), actor, action]
        });
        print_columns("steps", steps.collect(), f)?;
        print_columns(
            "expect",
            self.expectations.iter().map(|line| print_expectation(&line.expectation).into()).collect(),
            f,
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (actor, action) = print_action(&self.action);
        write!(f, "{}  {actor}  {action}", print_duration(self.at))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print_call(self))
    }
}

impl fmt::Display for AppChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print_change(self))
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [subject, said] = print_expectation(self);
        write!(f, "{subject}  {said}")
    }
}

/// A TOML string on one line.
fn toml_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(control))),
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

/// Lines of cells below each other, as a TOML text. Only backslashes need care: a word in quotes
/// escapes its control characters itself, and three quotes never meet.
fn print_columns(key: &str, lines: Vec<Vec<String>>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    let columns = lines[0].len();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    writeln!(f, "{key} = \"\"\"")?;
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        writeln!(f, "{}", text.trim_end().replace('\\', "\\\\"))?;
    }
    writeln!(f, "\"\"\"")
}

fn print_table<N: fmt::Display, T>(
    key: &str,
    entries: &std::collections::BTreeMap<N, T>,
    f: &mut fmt::Formatter<'_>,
    print: fn(&T) -> String,
) -> fmt::Result {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n[{key}]")?;
    entries.iter().try_for_each(|(name, entry)| writeln!(f, "{name} = {{ {} }}", print(entry)))
}

fn print_app(app: &App, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let default = App::default();
    let App { id, seats, administrators, reconnect_kicks, notify_offline_kick, start, .. } = app;
    let App { ticket_ttl, commit_latency, tls, .. } = app;
    let mut lines = Vec::new();
    if *id != default.id {
        lines.push(format!("id = {id}"));
    }
    if seats.policy() != default.seats.policy() {
        lines.push(format!("policy = \"{}\"", seats.policy()));
    }
    let numbers = print_numbers(seats);
    if !numbers.is_empty() {
        lines.push(format!("max_instances = {{ {} }}", numbers.join(", ")));
    }
    if !administrators.is_empty() {
        let users: Vec<String> = administrators.iter().map(|user| format!("\"{user}\"")).collect();
        lines.push(format!("administrators = [{}]", users.join(", ")));
    }
    if *reconnect_kicks {
        lines.push("reconnect_kicks = true".to_owned());
    }
    if *notify_offline_kick {
        lines.push("notify_offline_kick = true".to_owned());
    }
    if *start != default.start {
        lines.push(format!("start = {}", start.seconds()));
    }
    if *ticket_ttl != default.ticket_ttl {
        lines.push(format!("ticket_ttl = \"{}\"", print_duration(*ticket_ttl)));
    }
    if *commit_latency != default.commit_latency {
        lines.push(format!("commit_latency = \"{}\"", print_span(*commit_latency)));
    }
    if *tls {
        lines.push("tls = true".to_owned());
    }
    if lines.is_empty() { Ok(()) } else { writeln!(f, "\n[app]\n{}", lines.join("\n")) }
}

fn print_numbers(seats: &Seats) -> Vec<String> {
    Platform::ALL
        .into_iter()
        .filter(|platform| seats.instances_max(*platform) != 1)
        .map(|platform| format!("{platform} = {}", seats.instances_max(platform)))
        .collect()
}

fn print_limits(limits: &LimitOverrides, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let values = limits.set_values();
    if values.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n[limits]")?;
    values.into_iter().try_for_each(|(key, value)| match value {
        LimitValue::Time(span) => writeln!(f, "{key} = \"{}\"", print_duration(span)),
        LimitValue::Number(number) | LimitValue::Percent(number) | LimitValue::Lines(number) => {
            writeln!(f, "{key} = {number}")
        }
    })
}

fn print_site(site: &Site) -> String {
    let Site { latency, forgets_idle, segments, window } = site;
    let mut keys = vec![format!("latency = \"{}\"", print_span(*latency))];
    keys.extend(forgets_idle.map(|span| format!("forgets_idle = \"{}\"", print_duration(span))));
    keys.extend(segments.map(|pieces| format!("segments = \"{pieces}\"")));
    keys.extend(window.map(|bytes| format!("window = {bytes}")));
    keys.join(", ")
}

fn print_device(device: &Device) -> String {
    let Device { platform, site, init, wall_offset } = device;
    let mut text = format!("platform = \"{platform}\", site = \"{site}\"");
    if *init != Init::Auto {
        text.push_str(&format!(", init = \"{init}\""));
    }
    if *wall_offset != Offset::default() {
        text.push_str(&format!(", wall_offset = \"{}\"", print_offset(*wall_offset)));
    }
    text
}

fn print_ticket(ticket: &TicketPlan) -> String {
    let TicketPlan { user, issued, ttl, forge } = ticket;
    let mut text = format!("user = \"{user}\"");
    if *issued != Offset::default() {
        text.push_str(&format!(", issued = \"{}\"", print_offset(*issued)));
    }
    // Always, so that it does not change with the app's default.
    text.push_str(&format!(", ttl = \"{}\"", print_duration(*ttl)));
    if let Some(forge) = forge {
        text.push_str(&format!(", forge = \"{forge}\""));
    }
    text
}

/// Who acts, and what is done.
fn print_action(action: &Action) -> (String, String) {
    match action {
        Action::Call { device, call } => (device.to_string(), print_call(call)),
        Action::On { device, event, call } => (device.to_string(), format!("on {event} {}", print_call(call))),
        Action::Raw { device, conduct } => (device.to_string(), format!("raw {conduct}")),
        Action::Fault(fault) => ("fault".to_owned(), fault.to_string()),
        Action::App(change) => ("app".to_owned(), print_change(change)),
    }
}

fn print_call(call: &Call) -> String {
    match call {
        Call::Init => "init".to_owned(),
        Call::Uninit => "uninit".to_owned(),
        Call::Login { user, ticket } => {
            let ticket = match ticket {
                TicketChoice::Fresh { ttl: None } => String::new(),
                TicketChoice::Fresh { ttl: Some(ttl) } => format!(" ttl={}", print_duration(*ttl)),
                TicketChoice::Named(name) => format!(" ticket={name}"),
                TicketChoice::Last => " ticket=last".to_owned(),
            };
            format!("login {}{ticket}", print_called(user))
        }
        Call::Logout => "logout".to_owned(),
        Call::Send { to, text, id } => {
            let text = match text {
                Text::Written(text) => print_quoted(text),
                Text::Bytes(bytes) => format!("bytes={bytes}"),
            };
            let id = id.map_or(String::new(), |id| format!(" id={id}"));
            format!("send {} {text}{id}", print_called(to))
        }
        Call::Conversations => "conversations".to_owned(),
        Call::Kick { user } => format!("kick {}", print_called(user)),
        Call::Query { users } => {
            let users: Vec<String> = users.iter().map(|user| print_called(user)).collect();
            format!("query {}", users.join(" "))
        }
        Call::NetworkChanged => "network_changed".to_owned(),
    }
}

/// The user of a call: in quotes unless it is a user id and no keyword.
fn print_called(user: &str) -> String {
    match user.parse::<UserId>() {
        Ok(user) => print_name(user.as_str()),
        Err(_) => print_quoted(user),
    }
}

/// A user id or a device's name: in quotes if it is a keyword.
fn print_name(name: &str) -> String {
    if KEYWORDS.contains(&name) { print_quoted(name) } else { name.to_owned() }
}

fn print_change(change: &AppChange) -> String {
    match change {
        AppChange::Policy(policy) => format!("policy {policy}"),
        AppChange::MaxInstances { platform, number } => format!("max_instances {platform} {number}"),
        AppChange::ReconnectKicks(on) => format!("reconnect_kicks {on}"),
        AppChange::NotifyOfflineKick(on) => format!("notify_offline_kick {on}"),
        AppChange::Administrators(users) => format!("administrators {}", print_users(users)),
        AppChange::DropOldKey => "drop_key old".to_owned(),
    }
}

fn print_users(users: &BTreeSet<UserId>) -> String {
    print_list(users.iter().map(UserId::as_str), "none")
}

fn print_devices(devices: &BTreeSet<DeviceName>, nobody: &str) -> String {
    print_list(devices.iter().map(DeviceName::as_str), nobody)
}

fn print_list<'n>(names: impl Iterator<Item = &'n str>, nobody: &str) -> String {
    let names: Vec<String> = names.map(print_name).collect();
    if names.is_empty() { nobody.to_owned() } else { names.join(" ") }
}

/// Of whom something is said, and what.
fn print_expectation(expectation: &Expectation) -> [String; 2] {
    let at = |at: &Option<Duration>| at.map(|at| format!(" at {}", print_duration(at))).unwrap_or_default();
    let (subject, said) = match expectation {
        Expectation::Event { device, event, times, reason, code, between } => {
            let reason = reason.map(|reason| format!(" reason={}", reason.word())).unwrap_or_default();
            let code = code.map(|code| format!(" code={}", code.number())).unwrap_or_default();
            let said = format!("{event} {}{reason}{code}{}", print_times(*times), print_between(between));
            (device.as_str(), said)
        }
        Expectation::Status { device, status, at: when } => (device.as_str(), format!("status {status}{}", at(when))),
        Expectation::LoginUser { device, user, at: when } => {
            let user = user.map_or_else(|| "none".to_owned(), |user| print_name(user.as_str()));
            (device.as_str(), format!("login_user {user}{}", at(when)))
        }
        Expectation::Answer { device, call, number, answer, between } => {
            let answer = match answer {
                Answer::Ok => "ok".to_owned(),
                Answer::Fails(code) => code.number().to_string(),
                Answer::Nothing => "nothing".to_owned(),
            };
            (device.as_str(), format!("{call} #{number} answers {answer}{}", print_between(between)))
        }
        Expectation::Conversations { device, number, with } => {
            (device.as_str(), format!("conversations #{number} lists {}", print_users(with)))
        }
        Expectation::Query { device, number, user, shown } => {
            (device.as_str(), format!("query #{number} shows {} {shown}", print_name(user.as_str())))
        }
        Expectation::Receives { device, text, times } => {
            (device.as_str(), format!("receives {} {}", print_quoted(text), print_times(*times)))
        }
        Expectation::Online { user, devices, at: when } => {
            (user.as_str(), format!("online {}{}", print_devices(devices, "nobody"), at(when)))
        }
        Expectation::Sessions { user, devices, at: when } => {
            (user.as_str(), format!("sessions {}{}", print_devices(devices, "none"), at(when)))
        }
        Expectation::Presence { user, presence, at: when } => {
            (user.as_str(), format!("presence {}{}", presence.word(), at(when)))
        }
        Expectation::Counted { user, days } => (user.as_str(), format!("counted {days}")),
        Expectation::Epochs { user, logins } => (user.as_str(), format!("epochs {logins}")),
    };
    [subject.to_owned(), said]
}

fn print_times(times: u32) -> String {
    match times {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

fn print_between(between: &Option<Window>) -> String {
    between
        .map(|window| format!(" between {} {}", print_duration(window.from), print_duration(window.to)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{arbitrary, samples};
    use proptest::prelude::*;

    #[test]
    fn a_printed_file_has_its_patterns_expanded_and_its_columns_aligned() {
        let scenario = Scenario::parse("patterns.toml", samples::PATTERNS).unwrap();
        insta::assert_snapshot!(scenario, @r##"
        #:schema ../docs/scenario.schema.json
        title = "Many at once"
        rules = ["POLICY-3"]
        seed = 2

        [sites]
        a = { latency = "30ms" }
        b = { latency = "30ms" }
        site-1 = { latency = "5ms" }
        site-2 = { latency = "5ms" }

        [devices]
        pad-5 = { platform = "ipad", site = "site-1" }
        pad-6 = { platform = "ipad", site = "site-2" }
        phone-1 = { platform = "android", site = "a" }
        phone-2 = { platform = "ios", site = "b" }
        phone-3 = { platform = "android", site = "a" }

        [tickets]
        ticket-1 = { user = "user-1", ttl = "7d" }
        ticket-2 = { user = "user-2", ttl = "7d" }
        ticket-3 = { user = "user-3", ttl = "7d" }

        [script]
        until = "60s"
        steps = """
        0s   phone-1  login user-1 ticket=ticket-1
        5s   phone-2  login user-2 ticket=ticket-2
        5s   pad-5    send user-1 "from 5 to 1, {braces}"
        5s   pad-6    send user-2 "from 6 to 2, {braces}"
        6s   fault    partition site-1
        7s   fault    partition site-2
        8s   phone-1  query user-1 user-2 user-3 root
        10s  phone-3  login user-3 ticket=ticket-3
        """
        expect = """
        phone-1  login #1 answers ok
        phone-2  login #1 answers ok
        phone-3  login #1 answers ok
        phone-1  login_user user-1
        phone-2  login_user user-2
        phone-3  login_user user-3
        user-1   online phone-1
        user-2   online phone-2
        user-3   online phone-3
        user-1   sessions pad-5 phone-1 phone-2
        """
        "##);
    }

    #[test]
    fn what_is_printed_parses_to_the_same() {
        for sample in samples::GOOD {
            let scenario = Scenario::parse("sample.toml", sample).unwrap();
            assert_eq!(Scenario::parse("printed.toml", &scenario.to_string()), Ok(scenario));
        }
    }

    #[test]
    fn a_step_and_an_expectation_print_as_their_lines() {
        let scenario = Scenario::parse("sample.toml", samples::KICK).unwrap();
        assert_eq!(scenario.steps[1].to_string(), "1s  fault  partition home");
        assert_eq!(scenario.expectations[0].expectation.to_string(), "phone-1  kicked_offline once between 120s 137s");
    }

    proptest! {
        #![proptest_config(crate::scenario::fixed_seed::cases(256))]

        #[test]
        fn any_scenario_is_read_back_as_it_was(scenario in arbitrary::scenario()) {
            let printed = scenario.to_string();
            let read = Scenario::parse("printed.toml", &printed).map_err(|diagnosis| {
                TestCaseError::fail(format!("{diagnosis}\n{printed}"))
            })?;
            prop_assert_eq!(read, scenario, "{}", printed);
        }
    }
}
