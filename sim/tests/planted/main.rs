//! Broken decisions, run through the shipped drivers: the properties must see each of them.
//!
//! A harness that catches nothing proves nothing. Each row is another implementation of the
//! decisions, one scenario that leads to the bug, and the property that must name it. What the
//! scenario itself expects does not count.

mod findings;
mod shrink;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::decide::client::{KickVerdict, Loss, ResumeVerdict, Standing};
use gatecrash::decide::server::{ResumeCase, Victim};
use gatecrash::decide::{ClientDecisions, Rules, ServerDecisions, server};
use gatecrash::id::UserId;
use gatecrash::limits::{ClientLimits, ServerLimits};
use gatecrash::policy::{Platform, Seats};
use gatecrash::protocol::{Kick, Presence, ResumeOutcome};
use gatecrash::store::{EndReason, Sessions, UserRecord};
use gatecrash::ticket::{OpenedTicket, judge};
use gatecrash::time::WallTime;
use gatecrash_sim::judge as judge_run;
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::trace::{Cast, Recorder};
use gatecrash_sim::world::{World, packet};

macro_rules! planted {
    ($($(#[$doc:meta])+ $name:ident $decisions:ident { $($body:item)+ })+) => { $(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        struct $name;
        impl $decisions for $name { $($body)+ }
    )+ };
}

planted! {
    /// F12: the newcomer is registered and nobody has to go.
    NobodyGoes ServerDecisions {
        fn victims(
            &self, _: &Seats, _: &Sessions, _: Platform, _: &ServerLimits, _: WallTime,
        ) -> Vec<Victim> {
            Vec::new()
        }
    }
    /// F28: the victim is whoever comes first in a map, not the oldest.
    AnyoneGoes ServerDecisions {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits,
            now: WallTime,
        ) -> Vec<Victim> {
            let rules = Rules.victims(seats, sessions, platform, limits, now);
            let newest = sessions.iter().max_by_key(|(_, session)| session.epoch);
            rules.iter().zip(newest).map(|(_, (&device, _))| Victim { device, reason: EndReason::SamePlatform }).collect()
        }
    }
    /// F13: the whole group is looked at as if every platform were its own.
    WrongGroup ServerDecisions {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits,
            now: WallTime,
        ) -> Vec<Victim> {
            let mut victims = Rules.victims(seats, sessions, platform, limits, now);
            victims.retain(|victim| victim.reason == EndReason::SamePlatform);
            victims
        }
    }
    /// F30: a ticket dies at its last second instead of after it.
    TicketDiesEarly ServerDecisions {
        fn judge_ticket(
            &self, opened: &OpenedTicket, app_id: u64, user: UserId, _: Option<&UserRecord>, now: u64,
        ) -> Result<(), Code> {
            judge(opened.as_ref().map_err(|&code| code)?, app_id, &user, now + 1, |_| false)
        }
    }
    /// F11: the resume of a displaced session comes back as a login though nobody allowed it.
    ResumeTakesTheSeat ServerDecisions {
        fn resume(&self, case: &ResumeCase<'_>) -> server::ResumeVerdict {
            Rules.resume(&ResumeCase { reconnect_kicks: true, ..*case })
        }
    }
    /// F26: one device leaves and the user is shown offline.
    OneLeavesAllLeave ServerDecisions {
        fn presence(&self, sessions: &Sessions, push: Duration, now: WallTime) -> Presence {
            match sessions.values().any(|session| session.link.lost_at().is_some()) {
                true => Presence::Offline,
                false => Rules.presence(sessions, push, now),
            }
        }
    }
    /// F27: every login is counted.
    EveryLoginCounts ServerDecisions {
        fn counts_day(&self, _: &BTreeSet<u32>, _: usize, _: u32) -> bool {
            true
        }
    }

    /// F05, F09: the SDK reconnects whatever ended the session.
    ReconnectsForEver ClientDecisions {
        fn reconnects(&self, _: Standing, _: bool) -> bool {
            true
        }
    }
    /// F24, F25: a kick is confirmed and forgotten.
    DeafToKicks ClientDecisions {
        fn kick_verdict(&self, _: &Kick, _: Standing) -> KickVerdict {
            KickVerdict::Drop
        }
    }
    /// F10: a refused ticket is only another reason to try again.
    RefusalIsRetried ClientDecisions {
        fn resume_verdict(&self, outcome: ResumeOutcome, other_left: bool) -> ResumeVerdict {
            match outcome {
                ResumeOutcome::Expired | ResumeOutcome::Refused(_) => ResumeVerdict::Again(Code::TicketExpired),
                ResumeOutcome::Resumed { .. }
                | ResumeOutcome::LoggedIn(_)
                | ResumeOutcome::Kicked(_)
                | ResumeOutcome::Unable(_)
                | ResumeOutcome::Stale => Rules.resume_verdict(outcome, other_left),
            }
        }
    }
    /// CONN-2: the delay is twice as long as it may be.
    SlowBackOff ClientDecisions {
        fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
            Rules.backoff_delay(limits, number, loss, draw) * 2
        }
    }
    /// F22: the former account's list is shown after a switch.
    FormerList ClientDecisions {
        fn viewer_after_login(&self, before: Option<UserId>, user: UserId) -> Option<UserId> {
            before.or(Some(user))
        }
    }
    /// F33: attempts are not numbered.
    AttemptsStandStill ClientDecisions {
        fn next_attempt(&self, last: gatecrash::id::Attempt) -> gatecrash::id::Attempt {
            gatecrash::id::Attempt { start: last.start, count: 1 }
        }
    }
}

/// The sentences of the properties that do not hold when this scenario runs with these decisions.
fn caught<S: ServerDecisions, C: ClientDecisions>(name: &str) -> BTreeSet<&'static str> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name).with_extension("toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let scenario = Scenario::parse(name, &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    let recorder = Recorder::new(Cast::of(&scenario));
    packet::run_with::<S, C>(&scenario, &recorder).expect("the world runs");
    let run = judge_run(&scenario, World::Packet.tick(&scenario), recorder.finish()).expect("the run can be judged");
    run.violations.iter().map(|violation| violation.property).collect()
}

macro_rules! catches {
    ($($test:ident: $server:ty, $client:ty, $scenario:literal => $property:literal;)+) => { $(
        #[test]
        fn $test() {
            assert_eq!(caught::<Rules, Rules>($scenario), BTreeSet::new(), "a false alarm");
            let caught = caught::<$server, $client>($scenario);
            assert!(caught.contains($property), "caught by {caught:#?}");
        }
    )+ };
}

catches! {
    two_winners: NobodyGoes, Rules, "kick_reaches_an_online_device_at_once"
        => "after every login exactly the set of sessions is left that the policy allows";
    an_arbitrary_victim: AnyoneGoes, Rules, "fourth_web_page_displaces_the_oldest"
        => "after every login exactly the set of sessions is left that the policy allows";
    a_wrong_group: WrongGroup, Rules, "single_policy_leaves_one_platform"
        => "after every login exactly the set of sessions is left that the policy allows";
    an_early_death_of_a_ticket: TicketDiesEarly, Rules, "ticket_is_good_for_its_last_second"
        => "a ticket is worth what its signature and its seconds say, and a session lives as long as its ticket";
    a_resume_that_takes_the_seat: ResumeTakesTheSeat, Rules, "owed_kick_is_learnt_by_the_resume"
        => "a session's end takes effect on its device at once, and no displaced session comes back unasked";
    one_leaves_all_leave: OneLeavesAllLeave, Rules, "scale/forty_devices_reconnect_through_a_rolling_partition"
        => "presence events are numbered without gaps and, replayed, are the truth";
    every_login_counted: EveryLoginCounts, Rules, "login_ends_what_the_device_left_behind"
        => "a user counts once for a day on which a login was accepted, and for nothing else";
    kicked_and_back: Rules, ReconnectsForEver, "kicked_device_stays_silent_until_it_logs_in"
        => "without an account or an owed end the SDK does not connect, resume or log in by itself";
    deaf_to_kicks: Rules, DeafToKicks, "kick_reaches_an_online_device_at_once"
        => "a session's end takes effect on its device at once, and no displaced session comes back unasked";
    an_expired_ticket_retried: Rules, RefusalIsRetried, "ticket_that_ran_out_during_a_link_loss_is_told_on_return"
        => "a session's end takes effect on its device at once, and no displaced session comes back unasked";
    a_slow_back_off: Rules, SlowBackOff, "backoff_doubles_to_its_cap"
        => "reconnecting follows the back-off, and a link that is up is kept alive";
    the_former_list: Rules, FormerList, "nothing_of_the_first_account_arrives_after_a_switch"
        => "nothing of another account reaches the application, and nothing at all after logout and uninit";
    attempts_that_stand_still: Rules, AttemptsStandStill, "renewal_keeps_the_session_and_its_place_in_line"
        => "attempts and epochs only grow, and a stale attempt changes nothing";
}
