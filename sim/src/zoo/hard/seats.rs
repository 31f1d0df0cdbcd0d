//! Who has to go, decided wrong where several things come together.

use std::time::Duration;

use gatecrash::decide::server::Victim;
use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::id::{DeviceId, Epoch};
use gatecrash::limits::ServerLimits;
use gatecrash::policy::{Platform, Seats};
use gatecrash::store::{EndReason, Session, Sessions};
use gatecrash::time::WallTime;

use super::super::broken::decisions;
use super::seen::seen;

fn is_dormant(session: &Session, limits: &ServerLimits, now: WallTime) -> bool {
    let dormant = limits.dormant_of(session.platform);
    session.link.lost_at().is_some_and(|lost_at| Rules.is_dormant(lost_at, dormant, now))
}

/// Of the newcomer's platform as many as the rules have, but the first in another order.
fn first_by<Key: Ord>(
    seats: &Seats,
    sessions: &Sessions,
    platform: Platform,
    (limits, now): (&ServerLimits, WallTime),
    key: impl Fn(&Session) -> Key,
) -> Vec<Victim> {
    let mut victims = Rules.victims(seats, sessions, platform, limits, now);
    let number = victims.extract_if(.., |victim| victim.reason == EndReason::SamePlatform).count();
    let here = sessions.iter().filter(|(_, session)| session.platform == platform);
    let mut rivals: Vec<(Key, Epoch, DeviceId)> =
        here.map(|(&device, session)| (key(session), session.epoch, device)).collect();
    rivals.sort_unstable();
    let goes = |(_, _, device): (Key, Epoch, DeviceId)| Victim { device, reason: EndReason::SamePlatform };
    victims.extend(rivals.into_iter().take(number).map(goes));
    victims
}

decisions! {
    ServerDecisions;

    /// Of three dormant sessions or more the one goes that has been away for longest.
    LongestAwayGoes {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits, now: WallTime,
        ) -> Vec<Victim> {
            let here = sessions.values().filter(|session| session.platform == platform);
            if here.filter(|session| is_dormant(session, limits, now)).count() < 3 {
                return Rules.victims(seats, sessions, platform, limits, now);
            }
            first_by(seats, sessions, platform, (limits, now), |session| {
                let away = is_dormant(session, limits, now).then(|| session.link.lost_at()).flatten();
                (away.is_none(), away)
            })
        }
    }

    /// A session that is owed messages is not taken for dormant.
    OwedIsAwake {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits, now: WallTime,
        ) -> Vec<Victim> {
            let is_asleep = |session: &Session| is_dormant(session, limits, now) && session.owed.is_empty();
            first_by(seats, sessions, platform, (limits, now), |session| !is_asleep(session))
        }
    }

    /// When two of the newcomer's platform have to go, the first and the last of them do.
    FirstAndLastGo {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits, now: WallTime,
        ) -> Vec<Victim> {
            let mut victims = Rules.victims(seats, sessions, platform, limits, now);
            let here = sessions.iter().filter(|(_, session)| session.platform == platform);
            let newest = here.max_by_key(|(_, session)| session.epoch).map(|(&device, _)| device);
            let go = victims.iter().filter(|victim| victim.reason == EndReason::SamePlatform).count();
            if let (Some(last), Some(newest)) = (victims.last_mut().filter(|_| go >= 2), newest) {
                last.device = newest;
            }
            victims
        }
    }

    /// Of several sessions on other platforms those that are without a link stay.
    LinklessOthersStay {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits, now: WallTime,
        ) -> Vec<Victim> {
            let mut victims = Rules.victims(seats, sessions, platform, limits, now);
            let is_other = |victim: &&Victim| victim.reason == EndReason::OtherPlatform;
            if victims.iter().filter(is_other).count() >= 2 {
                let stays = |victim: &Victim| {
                    is_other(&victim) && sessions[&victim.device].link.lost_at().is_some()
                };
                victims.retain(|victim| !stays(victim));
            }
            victims
        }
    }

    /// Where a session without a link on the newcomer's own platform has to go, nobody on another one does.
    OwnPlatformIsEnough {
        fn victims(
            &self, seats: &Seats, sessions: &Sessions, platform: Platform, limits: &ServerLimits, now: WallTime,
        ) -> Vec<Victim> {
            let mut victims = Rules.victims(seats, sessions, platform, limits, now);
            let is_away = |victim: &Victim| {
                victim.reason == EndReason::SamePlatform && sessions[&victim.device].link.lost_at().is_some()
            };
            if victims.iter().any(is_away) {
                victims.retain(|victim| victim.reason == EndReason::SamePlatform);
            }
            victims
        }
    }

    /// A session that lost its link before the server started is dormant so long after the start.
    DormancyStartsAnew {
        fn is_dormant(&self, lost_at: WallTime, dormant: Duration, now: WallTime) -> bool {
            let since = seen(|seen| if seen.is_restarted() { seen.started_at } else { lost_at });
            Rules.is_dormant(lost_at.max(since), dormant, now)
        }
    }
}
