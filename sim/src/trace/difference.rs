//! Where two traces of one scenario first differ.
//!
//! Compares to the bit, and tells it for people. What two worlds made of a scenario is compared elsewhere, by what it means.

use super::{Trace, json, render};

/// How many events are shown before the first that differs.
const EVENTS_BEFORE: usize = 6;

/// Where two runs of one scenario first differ, if they do.
pub fn difference(first: &Trace, second: &Trace) -> Option<String> {
    if first.digest == second.digest {
        return None;
    }
    let exact = |trace: &Trace, index: usize| trace.events.get(index).map(|event| json::line(&trace.cast, event));
    let line = |trace: &Trace, index: usize| trace.events.get(index).map(|event| render::line(&trace.cast, event));
    let length = first.events.len().max(second.events.len());
    // Texts say more than events: the same number may name somebody else in each.
    let Some(index) = (0..length).find(|&index| exact(first, index) != exact(second, index)) else {
        return Some("every event is the same, but the digests are not".to_owned());
    };
    let mut text = format!("event {} is the first to differ:\n", index + 1);
    for before in index.saturating_sub(EVENTS_BEFORE)..index {
        text.push_str(&format!("   both  {}\n", line(first, before).unwrap_or_default()));
    }
    // Lines for people round times.
    let is_fine = line(first, index) == line(second, index);
    for (which, trace) in [(" first", first), ("second", second)] {
        let shown = if is_fine { exact(trace, index) } else { line(trace, index) };
        text.push_str(&format!(" {which}  {}\n", shown.as_deref().unwrap_or("(the trace has ended)")));
    }
    Some(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gatecrash::time::Instant;

    use super::*;
    use crate::scenario::{Direction, Fault, Scenario};
    use crate::trace::{Cast, Recorder};

    const TEXT: &str = r#"
title = "A link breaks"
rules = ["CONN-6"]
seed = 1
devices.phone = { platform = "android", site = "home" }
script.until = "10s"
script.steps = ""
"#;

    /// A trace in which a link breaks at each of these seconds, and everything comes to rest at 20 s.
    fn trace(breaks: &[u64]) -> Trace {
        let recorder = Recorder::new(Cast::of(&Scenario::parse("link.toml", TEXT).unwrap()));
        let at = |seconds: u64| Instant::ZERO + Duration::from_secs(seconds);
        for &second in breaks {
            let fault = Fault::Partition { site: "home".parse().unwrap(), direction: Direction::Both };
            recorder.fault(at(second), &fault);
        }
        recorder.converged(at(20));
        recorder.finish()
    }

    #[test]
    fn the_first_event_that_differs_is_shown_with_those_before_it() {
        assert_eq!(difference(&trace(&[1, 2]), &trace(&[1, 2])), None);
        insta::assert_snapshot!(difference(&trace(&[1, 2, 3]), &trace(&[1, 2, 4])).unwrap(), @r#"
        event 3 is the first to differ:
           both      1.000  world               fault partition home both
           both      2.000  world               fault partition home both
          first      3.000  world               fault partition home both
         second      4.000  world               fault partition home both
        "#);
        let shorter = difference(&trace(&[1]), &trace(&[1, 2])).unwrap();
        assert!(shorter.starts_with("event 2 is the first to differ:"), "{shorter}");
    }
}
