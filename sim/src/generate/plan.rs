//! The course of a scenario: a beginning, episodes with pauses between them, an end.
//!
//! Episodes are bursts of single steps, gambits, or steps around an instant that matters. The pauses
//! share out the seed's time as the episodes share out its events.

use super::author::{Author, fresh_login};
use super::{MILLI, MINUTE, Profile, SECOND, gambit, moment, moves};
use crate::scenario::Fault;

/// About what an episode costs in events, before any has been played.
const EPISODE: u64 = 90;

/// The least that is taken for it: an author to whom nothing works must not wait for ever.
const EPISODE_MIN: u64 = 25;

/// So many hundredths of what is left to spend may go into one pause.
const PAUSE_SHARE: u64 = 12;

pub(super) fn write(author: &mut Author) {
    let gambits = gambit::available(author);
    let ends_busy = author.draw.chance(1, 2);
    let episodes_max = if author.setup.is_soak { author.draw.log_between(10, 100) } else { u64::MAX };
    begin(author);
    if author.setup.profile == Profile::PowerLoss {
        go_dark(author);
    }
    if author.setup.profile == Profile::Dense && author.draw.chance(1, 2) {
        gambit::play_of_drivers(author);
    }
    episodes(author, &gambits, ends_busy, episodes_max);
}

/// Goes on from what there is, with the first logins where there is nothing.
pub(super) fn go_on(author: &mut Author) {
    let gambits = gambit::available(author);
    let ends_busy = author.draw.chance(1, 2);
    if author.steps.is_empty() {
        begin(author);
    }
    episodes(author, &gambits, ends_busy, u64::MAX);
}

fn episodes(author: &mut Author, gambits: &[u64], ends_busy: bool, episodes_max: u64) {
    let begun = author.spent();
    for number in 0..episodes_max {
        let cost = ((author.spent() - begun + EPISODE) / (number + 1)).max(EPISODE_MIN);
        author.pace = author.time_left() / (author.left() / cost + 2);
        if author.left() == 0 || author.time_left() < MILLI {
            break;
        }
        if ends_busy && author.left() < author.setup.budget / 5 && author.time_left() > 6 * MINUTE {
            let before = author.draw.log_between(SECOND, 5 * MINUTE) / MILLI * MILLI;
            author.rest_until(author.setup.span - before, PAUSE_SHARE);
        }
        episode(author, gambits);
        pause(author);
    }
    let end = author.setup.span;
    author.rest_until(end, 100);
}

fn episode(author: &mut Author, gambits: &[u64]) {
    match author.draw.below(20) {
        0..=8 => {
            if let Some(gambit) = author.draw.weighted(gambits) {
                gambit::play(author, gambit);
            }
        }
        9..=11 => at_a_moment(author),
        _ => burst(author),
    }
}

/// The server's machine loses its power, and comes back.
fn go_dark(author: &mut Author) {
    let pause = author.draw.log_between(1, 10_000) * MILLI;
    author.pass(pause);
    author.fault(Fault::PowerLossServer);
    let pause = author.draw.log_between(1, 10_000) * MILLI;
    author.pass(pause);
    author.fault(Fault::StartServer);
}

/// The first logins.
fn begin(author: &mut Author) {
    let within = *author.draw.pick(&[0, 50 * MILLI, SECOND, 10 * SECOND]);
    let within = within.min(author.setup.span / 8);
    let mut logins = Vec::new();
    for device in 0..author.belief.devices.len() {
        let (is_there, at) = (author.draw.chance(3, 4), author.draw.below(within / MILLI + 1) * MILLI);
        let user = author.any_user();
        if is_there {
            logins.push((at, device, user));
        }
    }
    logins.sort_unstable();
    for (at, device, user) in logins {
        author.pass(at.saturating_sub(author.now));
        author.call(device, fresh_login(user));
    }
}

/// Several steps, close to each other.
fn burst(author: &mut Author) {
    let steps = author.draw.log_between(1, 16);
    let rhythm = author.draw.below(4);
    for _ in 0..steps {
        if author.left() == 0 {
            break;
        }
        moves::one(author);
        let device = author.any_device();
        let latency = author.latency(device) / MILLI;
        let most = match rhythm {
            0 => 2,
            1 => latency * 2 + 1,
            2 => author.shorter(1_000),
            _ => author.shorter(8_000),
        };
        let pause = author.draw.below(most + 1) * MILLI;
        author.pass(pause.min(author.time_left()));
    }
}

/// Steps around an instant that matters, those who make them brought there before.
fn at_a_moment(author: &mut Author) {
    let mut moments = moment::ahead(author, 2 * SECOND);
    let farthest = author.now + author.pace.saturating_mul(6).max(10 * SECOND);
    moments.retain(|&moment| moment < farthest);
    if moments.is_empty() {
        return burst(author);
    }
    let moment = *author.draw.pick(&moments);
    let lead = author.draw.log_between(SECOND, 20 * SECOND) / MILLI * MILLI;
    if moment > author.now + lead + MINUTE {
        author.rest_until(moment - lead, PAUSE_SHARE);
    } else {
        author.pass((moment - author.now).saturating_sub(lead));
    }
    let mut latency = 0;
    for _ in 0..author.draw.between(1, 3) {
        let device = author.any_device();
        latency = author.latency(device);
        if author.draw.chance(1, 2) {
            let user = author.any_user();
            author.log_in(device, user);
        }
    }
    let mut times: Vec<u64> = (0..author.draw.between(1, 4)).map(|_| moment::around(author, moment, latency)).collect();
    times.sort_unstable();
    for at in times {
        author.pass(at.saturating_sub(author.now));
        moves::one(author);
    }
}

fn pause(author: &mut Author) {
    let left = author.time_left();
    if left < 2 * MILLI {
        return author.pass(left);
    }
    let mean = author.pace.max(2 * MILLI);
    let (least, most) = match author.draw.below(10) {
        0..=2 => (MILLI, mean.min(5 * SECOND)),
        3..=5 => (mean.min(100 * MILLI), mean.min(2 * MINUTE)),
        _ => (mean / 2, (left / 4 * 3).min(mean.saturating_mul(3)).max(mean / 2)),
    };
    let least = least.max(MILLI);
    let span = author.draw.log_between(least, most.max(least)) / MILLI * MILLI;
    if span > MINUTE {
        author.rest_until(author.now + span, PAUSE_SHARE);
    } else {
        author.pass(span);
    }
}
