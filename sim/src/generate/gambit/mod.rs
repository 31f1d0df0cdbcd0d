//! Gambits: small plots, each around a race that single steps would seldom hit.
//!
//! Each is a function that brings what it needs, sets its pieces and lets go: it aims at an instant
//! and scatters around it, so that over many seeds every order of things comes about. Checks nothing:
//! whatever comes of it, the properties judge.

mod absences;
mod crashes;
mod expiry;
mod kicks;
mod logins;
mod messages;
mod standstills;
mod storage;
mod switches;

use gatecrash::limits::{ClientLimits, ServerLimits};

use super::author::{Author, fresh_login, login};
use super::family::Family;
use super::{MILLI, MINUTE, Profile, SECOND, dense, moment, whole_micros};
use crate::scenario::numbers;
use crate::scenario::{Action, Call, Direction, Fault, TicketChoice};

/// A plot.
pub(super) struct Gambit {
    /// What happens, in a few words.
    pub(super) name: &'static str,
    /// The families without which it is not this gambit.
    needs: &'static [Family],
    /// Plays it; none when nobody fits the parts.
    play: fn(&mut Author) -> Option<()>,
}

/// Every gambit.
pub(super) const GAMBITS: [Gambit; 54] = [
    Gambit { name: "logins within one latency", needs: &[], play: logins::within_one_latency },
    Gambit { name: "a login whose answer is lost", needs: &[Family::OneWay], play: logins::answer_lost },
    Gambit { name: "a kill before a login's answer", needs: &[Family::Kill], play: logins::killed_before_the_answer },
    Gambit { name: "a login slept through", needs: &[Family::Suspend], play: logins::slept_through },
    Gambit {
        name: "refused tickets and a good one",
        needs: &[Family::BadTicket],
        play: logins::refused_and_a_good_one,
    },
    Gambit { name: "a login overtaken by a newer one", needs: &[Family::Latency], play: logins::overtaken },
    Gambit { name: "logins around midnight", needs: &[], play: logins::around_midnight },
    Gambit { name: "logins on days gone by", needs: &[Family::ServerSkew], play: logins::on_days_gone_by },
    Gambit {
        name: "a policy change between logins",
        needs: &[Family::PolicyChange],
        play: logins::policy_change_between,
    },
    Gambit { name: "a login as a ticket expires", needs: &[], play: expiry::login },
    Gambit { name: "a resume as a ticket expires", needs: &[Family::Reset], play: expiry::resume },
    Gambit { name: "a renewal as a ticket expires", needs: &[Family::Renewal], play: expiry::renewal },
    Gambit {
        name: "a renewal unanswered as the ticket before expires",
        needs: &[Family::Renewal, Family::Partition],
        play: expiry::renewal_unanswered,
    },
    Gambit { name: "the last ticket after its expiry", needs: &[], play: expiry::last_ticket },
    Gambit { name: "a sleeper whose ticket and place are gone", needs: &[Family::Suspend], play: expiry::sleeper },
    Gambit { name: "an expiry during a link loss", needs: &[Family::Partition], play: expiry::during_a_link_loss },
    Gambit { name: "a clock jump over an expiry", needs: &[Family::ServerSkew], play: expiry::clock_jump },
    Gambit {
        name: "a switch while backing off",
        needs: &[Family::Switch, Family::Partition],
        play: switches::backing_off,
    },
    Gambit {
        name: "a switch with the link down",
        needs: &[Family::Switch, Family::Partition],
        play: switches::link_down,
    },
    Gambit { name: "two switches", needs: &[Family::Switch], play: switches::two },
    Gambit {
        name: "an owed end and a new process",
        needs: &[Family::Kill, Family::Partition],
        play: switches::owed_end,
    },
    Gambit { name: "a kick during a partition", needs: &[Family::Partition], play: kicks::during_a_partition },
    Gambit { name: "a kick during a resume", needs: &[Family::Reset], play: kicks::during_a_resume },
    Gambit { name: "a logout and a displacement", needs: &[Family::Logout], play: kicks::and_a_logout },
    Gambit { name: "a displacement and an expiry", needs: &[Family::Partition], play: kicks::and_an_expiry },
    Gambit {
        name: "an administrator's kick and a ticket from the future",
        needs: &[Family::AdminKick, Family::BadTicket],
        play: kicks::of_a_future_ticket,
    },
    Gambit { name: "an administrator's kick and a login", needs: &[Family::AdminKick], play: kicks::administrators },
    Gambit { name: "a displacement while away", needs: &[Family::Kill], play: kicks::while_away },
    Gambit { name: "listeners that log in again", needs: &[Family::Listener], play: kicks::answered_by_logins },
    Gambit { name: "a message and a displacement", needs: &[Family::Send], play: kicks::and_a_message },
    Gambit { name: "a death between commit and answer", needs: &[], play: crashes::before_the_answer },
    Gambit { name: "a power loss inside a commit", needs: &[Family::CommitCut], play: crashes::inside_a_commit },
    Gambit { name: "a commit that fails", needs: &[Family::DiskError], play: crashes::a_disk_that_fails },
    Gambit {
        name: "a configuration while the disk is in trouble",
        needs: &[Family::PolicyChange],
        play: crashes::configured_meanwhile,
    },
    Gambit {
        name: "a death with messages owed to a new session",
        needs: &[Family::Send, Family::SlowDisk],
        play: crashes::with_messages_owed,
    },
    Gambit { name: "a last word behind long texts", needs: &[Family::Send], play: crashes::behind_long_texts },
    Gambit { name: "a power loss with a kick owed", needs: &[Family::PowerLoss], play: crashes::with_a_kick_owed },
    Gambit { name: "expiries while the server is down", needs: &[], play: crashes::over_an_expiry },
    Gambit { name: "something as a session goes dormant", needs: &[Family::Kill], play: absences::dormant },
    Gambit {
        name: "a question as a session goes dormant",
        needs: &[Family::Kill, Family::Query],
        play: absences::asked_about,
    },
    Gambit { name: "a dormant session among several", needs: &[Family::Kill], play: absences::dormant_first },
    Gambit { name: "something as push ends", needs: &[Family::Kill], play: absences::push_ends },
    Gambit {
        name: "a message without an answer, sent again",
        needs: &[Family::Send, Family::OneWay],
        play: messages::sent_again,
    },
    Gambit {
        name: "messages for who has no link",
        needs: &[Family::Send, Family::Partition],
        play: messages::for_who_is_away,
    },
    Gambit { name: "messages around a return", needs: &[Family::Send], play: messages::around_a_return },
    Gambit { name: "a record that cannot be written", needs: &[Family::DeviceDisk], play: storage::in_trouble },
    Gambit { name: "two troubles of one record", needs: &[Family::DeviceDisk], play: storage::two_troubles },
    Gambit { name: "a kick that cannot be noted", needs: &[Family::DeviceDisk], play: storage::kick },
    Gambit { name: "a copied device", needs: &[Family::Clone, Family::Kill], play: storage::copied },
    Gambit { name: "a damaged device", needs: &[Family::Damage, Family::Kill], play: absences::damaged },
    Gambit { name: "a wiped device", needs: &[Family::Wipe, Family::Kill], play: absences::wiped },
    Gambit { name: "a server that stands still is asked", needs: &[Family::Standstill], play: standstills::asked },
    Gambit {
        name: "a ticket that runs out while the server stands still",
        needs: &[Family::Standstill],
        play: standstills::over_an_expiry,
    },
    Gambit {
        name: "a silence that is over while the server stands still",
        needs: &[Family::Standstill, Family::Suspend],
        play: standstills::over_a_silence,
    },
];

/// How often each gambit is drawn in this seed: about half of those that it could play.
pub(super) fn available(author: &mut Author) -> Vec<u64> {
    let gambits = GAMBITS.iter().map(|gambit| {
        let (exists, rate) = (author.draw.chance(1, 2), author.draw.log_between(1, 8));
        let rate = match author.setup.profile {
            Profile::Swarm | Profile::PowerLoss => rate,
            Profile::Dense => dense::rate(gambit.name, rate),
        };
        let can = gambit.needs.iter().all(|family| author.has(*family));
        if exists && can { rate } else { 0 }
    });
    gambits.collect()
}

/// One of those that are about drivers alone, if the seed can play any.
pub(super) fn play_of_drivers(author: &mut Author) {
    let is_one =
        |gambit: &Gambit| dense::is_of_drivers(gambit.name) && gambit.needs.iter().all(|family| author.has(*family));
    let gambits: Vec<usize> = (0..GAMBITS.len()).filter(|&gambit| is_one(&GAMBITS[gambit])).collect();
    if !gambits.is_empty() {
        let gambit = *author.draw.pick(&gambits);
        play(author, gambit);
    }
}

pub(super) fn play(author: &mut Author, gambit: usize) {
    let Gambit { name, play, .. } = &GAMBITS[gambit];
    if play(author).is_some() {
        author.played.push(name);
    }
}

/// Nothing, when the script is over before so much time has passed: some that the plot takes for sure, and some for its
/// pauses, which are shorter where everything is. Seldom something, when it is much more time than there is for one
/// episode.
fn fits(author: &mut Author, sure: u64, pauses: u64) -> Option<()> {
    let span = match author.setup.profile {
        Profile::Swarm | Profile::PowerLoss => sure + pauses,
        Profile::Dense => sure + pauses / dense::FASTER,
    };
    let is_long = span > 2 * MINUTE && span > author.pace.saturating_mul(5);
    (author.time_left() > span && (!is_long || author.draw.chance(1, 6))).then_some(())
}

/// Nothing, when fewer events than that are left to spend. A dense seed is about what a plot costs drivers, not itself.
fn affords(author: &Author, events: u64) -> Option<()> {
    (author.setup.profile == Profile::Dense || author.left() >= events).then_some(())
}

/// A session with a ticket that runs out soon: on which device, whose, and when. Some of that time passes.
fn short_session(author: &mut Author) -> Option<(usize, usize, u64)> {
    let (device, user) = (author.any_device(), author.any_user());
    let seconds = lifetime(author, 2);
    fits(author, seconds * SECOND, 20 * SECOND)?;
    let expiry = author.log_in_for(device, user, seconds)?;
    let before = within(author, expiry.saturating_sub(author.now));
    author.pass(before);
    Some((device, user, expiry))
}

/// How many seconds a ticket lasts that is to run out soon.
fn lifetime(author: &mut Author, least: u64) -> u64 {
    let most = match author.setup.profile {
        Profile::Swarm | Profile::PowerLoss => 60,
        Profile::Dense => dense::LIFETIME_MAX,
    };
    author.draw.log_between(least, most)
}

/// A call, for a race.
fn by(author: &Author, device: usize, call: Call) -> Action {
    Action::Call { device: author.hand(device).name.clone(), call }
}

fn client(author: &Author, device: usize) -> ClientLimits {
    numbers::client_limits(&author.setup.limits, author.hand(device).platform)
}

fn server(author: &Author) -> ServerLimits {
    numbers::server_limits(&author.setup.limits)
}

/// There, back, and what the disk takes.
fn round_trip(author: &Author, device: usize) -> u64 {
    2 * author.latency(device) + whole_micros(author.setup.app.commit_latency.max)
}

/// A pause of some size, in whole milliseconds; sizes are in milliseconds.
fn some(author: &mut Author, least: u64, most: u64) -> u64 {
    let most = author.shorter(most).max(least);
    author.draw.log_between(least, most) * MILLI
}

/// Up to so long, in whole milliseconds.
fn within(author: &mut Author, most: u64) -> u64 {
    let most = author.shorter(most / MILLI);
    author.draw.below(most + 1) * MILLI
}

/// A long or a short wait until shortly before `at`.
fn approach(author: &mut Author, at: u64, lead: u64) {
    let until = at.saturating_sub(lead);
    if until > author.now + MINUTE {
        author.rest_until(until, 15);
    } else {
        author.pass(until.saturating_sub(author.now));
    }
}

/// The link of the device is lost and stays so: cut, and reset so that the device knows at once.
fn cut_off(author: &mut Author, device: usize, direction: Direction) {
    let site = author.belief.sites[author.hand(device).site].name.clone();
    author.fault(Fault::Partition { site, direction });
    if author.has(Family::Reset) && author.draw.chance(2, 3) {
        let device = author.hand(device).name.clone();
        author.fault(Fault::Reset { device });
    }
}
