//! Days and presence, decided wrong behind a clock that jumps or a server that starts again.

use std::collections::BTreeSet;
use std::time::Duration;

use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::protocol::Presence;
use gatecrash::store::{Link, Session, Sessions};
use gatecrash::time::WallTime;

use super::super::broken::decisions;
use super::seen::seen;

/// The user's presence if each session counted as this has it.
fn as_if(sessions: &Sessions, push: Duration, now: WallTime, change: impl Fn(&Session) -> Option<Session>) -> Presence {
    let changed = sessions.iter().filter_map(|(&device, session)| Some((device, change(session)?)));
    Rules.presence(&changed.collect(), push, now)
}

decisions! {
    ServerDecisions;

    /// A day counts unless it is the last one that was counted.
    LastDayOnly {
        fn counts_day(&self, days: &BTreeSet<u32>, _: usize, day: u32) -> bool {
            days.last() != Some(&day)
        }
    }

    /// A day before the last one counted is not counted any more.
    DaysOnlyGrow {
        fn counts_day(&self, days: &BTreeSet<u32>, _: usize, day: u32) -> bool {
            days.last().is_none_or(|&last| day > last)
        }
    }

    /// The seven days of a device that is without a link begin anew when the server has started for the second time since.
    SevenDaysAnew {
        fn presence(&self, sessions: &Sessions, push: Duration, now: WallTime) -> Presence {
            let since = seen(|seen| (seen.starts > 2).then_some(seen.started_at));
            as_if(sessions, push, now, |session| {
                let later = |at: WallTime| Link::Lost { at: since.map_or(at, |since| at.max(since)) };
                Some(Session { link: session.link.lost_at().map_or(Link::Connected, later), ..session.clone() })
            })
        }
    }

    /// Behind a restart, of several mobile devices without a link the one that logged in first decides whether push
    /// messages arrive.
    FirstDecidesPush {
        fn presence(&self, sessions: &Sessions, push: Duration, now: WallTime) -> Presence {
            let mobile = sessions.values().filter(|session| session.platform.is_mobile());
            let first = mobile.map(|session| session.epoch).min();
            let is_first = !seen(|seen| seen.is_restarted());
            as_if(sessions, push, now, |session| {
                let counts = is_first || session.link == Link::Connected || Some(session.epoch) == first;
                counts.then(|| session.clone())
            })
        }
    }

    /// A device whose link was lost by the server's own end is not reached by push messages where two others are without a
    /// link.
    LostByTheServer {
        fn presence(&self, sessions: &Sessions, push: Duration, now: WallTime) -> Presence {
            let at = seen(|seen| seen.is_restarted().then_some(seen.started_at));
            let is_by_server = |session: &Session| session.link.lost_at() == at && at.is_some();
            let lost = sessions.values().filter(|session| session.link.lost_at().is_some()).count();
            as_if(sessions, push, now, |session| {
                (lost < 3 || !is_by_server(session)).then(|| session.clone())
            })
        }
    }

    /// Once its clock was set back, and it has started again, the server has a ticket run out a second late.
    LateBehindASetBack {
        fn judge_ticket(
            &self,
            opened: &gatecrash::ticket::OpenedTicket,
            app_id: u64,
            user: gatecrash::id::UserId,
            account: Option<&gatecrash::store::UserRecord>,
            now: u64,
        ) -> Result<(), gatecrash::code::Code> {
            let late = u64::from(seen(|seen| seen.set_back && seen.is_restarted()));
            Rules.judge_ticket(opened, app_id, user, account, now.saturating_sub(late))
        }
    }
}
