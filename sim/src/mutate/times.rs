//! Other times: a step just before or after another, or as long after it as a limit lasts; other pauses.

use std::time::Duration;

use super::{any_step, delay, some_steps};
use crate::draw::Draw;
use crate::scenario::Scenario;
use crate::world::limits;

/// As far apart as two steps may be to be brought together.
const NEIGHBOURS: u64 = 8;

/// The smallest difference that times of a drawn script have.
const TICK: Duration = Duration::from_millis(1);

/// A step happens when another does, or a little before or after it.
pub(super) fn beside(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let Some(step) = any_step(scenario, draw) else { return };
    let low = (step as u64).saturating_sub(NEIGHBOURS);
    let high = (step as u64 + NEIGHBOURS).min(scenario.steps.len() as u64 - 1);
    let other = draw.between(low, high) as usize;
    let at = scenario.steps[other].at;
    scenario.steps[step].at = close_to(scenario, at, draw);
}

/// A step happens as long after another as a limit or a ticket lasts, to the tick or a little off.
pub(super) fn at_a_limit(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let Some(step) = any_step(scenario, draw) else { return };
    let other = (step as u64).saturating_sub(draw.below(NEIGHBOURS)) as usize;
    let limit = *draw.pick(&spans(scenario));
    let (before, at) = (scenario.steps[step].at, close_to(scenario, scenario.steps[other].at + limit, draw));
    if draw.chance(1, 2) && at >= before {
        // All that follows keeps its distance.
        delay(scenario, step, at - before);
    } else if at <= scenario.until {
        scenario.steps[step].at = at;
    }
}

/// The pause before a step takes another time, and all that follows keeps its distance.
pub(super) fn another_pause(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let Some(step) = any_step(scenario, draw) else { return };
    let before = if step == 0 { Duration::ZERO } else { scenario.steps[step - 1].at };
    let pause = match draw.below(5) {
        0 => Duration::ZERO,
        1 => TICK,
        2 => latency(scenario, draw),
        3 => *draw.pick(&spans(scenario)),
        _ => Duration::from_millis(draw.log_between(1, 600_000)),
    };
    let old = scenario.steps[step].at - before;
    if pause >= old {
        delay(scenario, step, pause - old);
    } else {
        let sooner = old - pause;
        scenario.steps[step..].iter_mut().for_each(|step| step.at -= sooner);
        scenario.until -= sooner;
    }
}

/// A few steps in a row happen within a short time.
pub(super) fn closer(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let Some(some) = some_steps(scenario, draw) else { return };
    let divisor = draw.log_between(2, 1_000) as u32;
    let begin = scenario.steps[some.start].at;
    for step in &mut scenario.steps[some] {
        let far = Duration::from_millis(u64::try_from(((step.at - begin) / divisor).as_millis()).unwrap_or(0));
        step.at = begin + far;
    }
}

fn close_to(scenario: &Scenario, at: Duration, draw: &mut Draw) -> Duration {
    let latency = latency(scenario, draw);
    match draw.below(9) {
        0..=1 => at,
        2 => at + TICK,
        3 => at.saturating_sub(TICK),
        4 => at + latency,
        5 => at.saturating_sub(latency),
        6 => at + latency * 2,
        7 => at.saturating_sub(latency * 2),
        _ => (at + Duration::from_millis(draw.below(2_000))).saturating_sub(Duration::from_secs(1)),
    }
}

/// The latency of one of the sites.
fn latency(scenario: &Scenario, draw: &mut Draw) -> Duration {
    let latencies: Vec<Duration> = scenario.sites.values().map(|site| site.latency.min).collect();
    if latencies.is_empty() { TICK } else { *draw.pick(&latencies) }
}

/// Everything that lasts for a time of its own.
fn spans(scenario: &Scenario) -> Vec<Duration> {
    let server = limits::server(&scenario.limits);
    let mut spans = vec![
        server.silence,
        server.silence_web,
        server.dormant,
        server.dormant_web,
        server.admission,
        server.kick_linger,
        server.refusals_window,
        server.refusals_lock,
        server.push_online,
        scenario.app.ticket_ttl,
        scenario.app.commit_latency.max,
    ];
    for device in scenario.devices.values() {
        let client = limits::client(&scenario.limits, device.platform);
        spans.extend([
            client.login_timeout,
            client.request_timeout,
            client.connect_timeout,
            client.heartbeat,
            client.heartbeat_answer,
            client.backoff_max,
            client.backoff_reset,
        ]);
    }
    spans
}
