//! Sooner, and at plainer times: less time between two steps, and less after the last.

use std::time::Duration;

use super::Search;
use crate::scenario::Scenario;

/// Spans that people would write, the shortest first.
const PLAIN: [Duration; 24] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(150),
    Duration::from_secs(300),
    Duration::from_secs(600),
    Duration::from_secs(900),
    Duration::from_secs(1_200),
    Duration::from_secs(1_800),
    Duration::from_secs(3_600),
    Duration::from_secs(6 * 3_600),
    Duration::from_secs(86_400),
    Duration::from_secs(2 * 86_400),
    Duration::from_secs(7 * 86_400),
    Duration::from_secs(14 * 86_400),
    Duration::from_secs(30 * 86_400),
];

/// Units to whole numbers of which a span is cut, the longest first.
const UNITS: [Duration; 7] = [
    Duration::from_secs(86_400),
    Duration::from_secs(3_600),
    Duration::from_secs(60),
    Duration::from_secs(1),
    Duration::from_millis(100),
    Duration::from_millis(10),
    Duration::from_millis(1),
];

pub(super) fn times(search: &mut Search<'_>) {
    // All spans at once, each at most so long.
    search.first_of(PLAIN, |scenario, longest| {
        let mut gaps: Vec<Duration> = gaps(scenario).into_iter().map(|gap| gap.min(longest)).collect();
        // A script has to have an end, and so what is left of time comes after everything.
        if let Some(last) = gaps.last_mut().filter(|_| longest.is_zero()) {
            *last = PLAIN[1];
        }
        set_gaps(scenario, &gaps);
    });
    // One after the other, the end of the script last.
    for index in 0..=search.best.steps.len() {
        let gap = gaps(&search.best)[index];
        let longer = PLAIN.into_iter().filter(|longer| *longer > gap && !is_plain(gap)).take(1);
        let plainer = [Duration::ZERO].into_iter().chain(plainer(gap)).chain(longer);
        search.first_of(plainer, |scenario, plainer| set_gap(scenario, index, plainer));
    }
}

/// Whether people would write it.
fn is_plain(span: Duration) -> bool {
    PLAIN.contains(&span)
}

/// Spans that people would write and that are shorter, then it without its smallest units. None is zero.
pub(super) fn plainer(span: Duration) -> Vec<Duration> {
    let shorter = PLAIN.into_iter().filter(|shorter| *shorter < span);
    let cut = UNITS.into_iter().map(|unit| floor(span, unit)).filter(|cut| !is_plain(span) && *cut < span);
    shorter.chain(cut).filter(|span| !span.is_zero()).collect()
}

/// How long before each step nothing happens, and after the last.
fn gaps(scenario: &Scenario) -> Vec<Duration> {
    let mut before = Duration::ZERO;
    let times = scenario.steps.iter().map(|step| step.at).chain([scenario.until]);
    times.map(|at| at - std::mem::replace(&mut before, at)).collect()
}

fn set_gap(scenario: &mut Scenario, index: usize, gap: Duration) {
    let mut gaps = gaps(scenario);
    gaps[index] = gap;
    set_gaps(scenario, &gaps);
}

fn set_gaps(scenario: &mut Scenario, gaps: &[Duration]) {
    let mut at = Duration::ZERO;
    for (step, gap) in scenario.steps.iter_mut().zip(gaps) {
        at += *gap;
        step.at = at;
    }
    scenario.until = at + gaps[gaps.len() - 1];
}

fn floor(span: Duration, unit: Duration) -> Duration {
    let (span, unit) = (span.as_micros(), unit.as_micros());
    Duration::from_micros(u64::try_from(span / unit * unit).expect("at most the span itself"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_become_shorter_and_plainer() {
        let span = Duration::from_micros(3_723_123_456);
        assert_eq!(floor(span, UNITS[1]), Duration::from_secs(3_600));
        assert_eq!(floor(span, UNITS[6]), Duration::from_millis(3_723_123));
        let plainer = plainer(span);
        assert!(plainer.iter().all(|plainer| *plainer < span && !plainer.is_zero()));
        assert_eq!(plainer.last(), Some(&Duration::from_millis(3_723_123)));
        assert!(is_plain(Duration::from_secs(600)) && !is_plain(Duration::from_secs(601)));
    }
}
