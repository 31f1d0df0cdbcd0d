//! A history for people: one line for each thing that happened, with the script's faults between them.

use super::record::{Answer, Event, Line, Request, What};
use crate::scenario::{Action, Scenario};

/// How many lines a story has that is told as a whole; of a longer one those around what is wrong are told.
const WHOLE: usize = 60;

/// How many lines are told before and behind one that shows what is wrong.
const AROUND: usize = 8;

/// The story of a run. `shows` are lines of its history, counted from 1 as the head is: they get a mark.
pub(super) fn story(scenario: &Scenario, lines: &[Line], shows: &[usize]) -> String {
    let faults = scenario.steps.iter().filter(|step| matches!(step.action, Action::Fault(_)));
    let mut faults = faults.map(|step| (step.at.as_micros() as u64, step)).peekable();
    let mut told: Vec<(bool, String)> = Vec::new();
    // The head is the first line of a history.
    let mut number = 1;
    for line in lines {
        while let Some((at, step)) = faults.next_if(|(at, _)| *at <= line.at_us) {
            let text = step.to_string();
            let what = text.splitn(3, "  ").nth(2).unwrap_or_default();
            told.push((false, row(at, "script", &format!("fault {what}"))));
        }
        number += usize::from(!matches!(line.what, What::Note(_)));
        if is_usual(line) {
            continue;
        }
        let is_shown = shows.contains(&number) && !matches!(line.what, What::Note(_));
        told.push((is_shown, row(line.at_us, line.actor.as_deref().unwrap_or("world"), &said(&line.what))));
    }
    let is_near = |index: usize| {
        let nearest = told.iter().enumerate().filter(|(_, (is_shown, _))| *is_shown);
        told.len() <= WHOLE || nearest.map(|(shown, _)| shown).any(|shown| shown.abs_diff(index) <= AROUND)
    };
    let mut text = String::new();
    let mut was_told = true;
    for (index, (is_shown, row)) in told.iter().enumerate() {
        if is_near(index) {
            text.push_str(if *is_shown { "▶ " } else { "  " });
            text.push_str(row);
            text.push('\n');
        } else if was_told {
            text.push_str("  …\n");
        }
        was_told = is_near(index);
    }
    text
}

/// Whether it says only that everything begins as it always does.
fn is_usual(line: &Line) -> bool {
    let says_it = match &line.what {
        What::Process { process } => *process == "up",
        What::Link { link } => *link == "up",
        What::Status { status, .. } => *status == "LOGOUT",
        What::Note(note) => note == "server up",
        What::Called { .. } | What::Answered { .. } | What::Told(_) | What::End { .. } => false,
    };
    let is_init = match &line.what {
        What::Called { request, .. } => matches!(request, Request::Init { .. }),
        What::Answered { kind, .. } => *kind == "init",
        _ => false,
    };
    is_init || line.at_us == 0 && says_it
}

fn row(at_us: u64, actor: &str, said: &str) -> String {
    format!("{:>5}.{:03} s  {actor:<8}  {said}", at_us / 1_000_000, at_us / 1_000 % 1_000)
}

fn said(what: &What) -> String {
    match what {
        What::Called { call, request } => format!("call {call}: {}", requested(request)),
        What::Answered { call, kind, outcome, .. } => {
            let outcome = match outcome {
                Answer::Ok => "ok".to_owned(),
                Answer::Failed { code } => format!("failed [{code}]"),
                Answer::Unknown => "unknown".to_owned(),
            };
            format!("call {call}: {kind} → {outcome}")
        }
        What::Told(event) => match event {
            Event::Connecting => "told connecting".to_owned(),
            Event::ConnectSuccess => "told connect_success".to_owned(),
            Event::ConnectFailed { code } => format!("told connect_failed [{code}]"),
            Event::KickedOffline { reason, by: Some(by) } => format!("told kicked_offline {reason} by {by}"),
            Event::KickedOffline { reason, by: None } => format!("told kicked_offline {reason}"),
            Event::UserSigExpired => "told user_sig_expired".to_owned(),
            Event::Message { message, from, text, .. } => format!("told message {message} from {from}: {text:.40}"),
        },
        What::Status { status, login_user: Some(user), .. } => format!("{status} {user}"),
        What::Status { status, login_user: None, .. } => (*status).to_owned(),
        What::Process { process } => format!("process {process}"),
        What::Link { link } => format!("link {link}"),
        What::End { settled: true } => "the end, settled".to_owned(),
        What::End { settled: false } => "the end, and not everything has come to rest".to_owned(),
        What::Note(text) => text.clone(),
    }
}

fn requested(request: &Request) -> String {
    match request {
        Request::Init { platform } => format!("init ({platform})"),
        Request::Login { user, platform } => format!("login {user} ({platform})"),
        Request::Logout => "logout".to_owned(),
        Request::Send { to, text, id } => format!("send {to} {text:.40} ({id})"),
        Request::Conversations => "conversations".to_owned(),
    }
}
