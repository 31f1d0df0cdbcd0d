//! How a session's end is remembered, told and settled, decided wrong where several things come together.

use std::collections::BTreeSet;

use gatecrash::code::Code;
use gatecrash::decide::server::{ResumeCase, ResumeVerdict};
use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::id::{Epoch, UserId};
use gatecrash::protocol::KickReason;
use gatecrash::store::{EndReason, Ended};

use super::super::broken::decisions;
use super::seen::seen;

/// How many logins of the user lie between two epochs.
fn apart(earlier: Epoch, later: Epoch) -> u64 {
    later.0.saturating_sub(earlier.0)
}

decisions! {
    ServerDecisions;

    /// Behind a restart, who was displaced by another platform and comes back with a ticket that has run out is told of the
    /// ticket.
    ExpiryCoversDisplacement {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            match Rules.resume(case) {
                ResumeVerdict::Kicked(KickReason::OtherPlatform, _)
                    if case.ticket == Err(Code::TicketExpired) && seen(|seen| seen.is_restarted()) =>
                {
                    ResumeVerdict::Expired
                }
                verdict => verdict,
            }
        }
    }

    /// An administrator's kick is told as an expiry to whoever comes back when the ticket has run out as well.
    ExpiryCoversAdministrator {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            let is_over = matches!(case.ticket, Err(Code::TicketExpired | Code::TicketVoided));
            match Rules.resume(case) {
                ResumeVerdict::Kicked(KickReason::Administrator, _) if is_over && seen(|seen| seen.is_restarted()) => {
                    ResumeVerdict::Expired
                }
                verdict => verdict,
            }
        }
    }

    /// A displaced session that came back unheard is known only if nobody else has logged in meanwhile.
    HeirOfTheLast {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            match (Rules.resume(case), case.session) {
                (ResumeVerdict::LoginAgain, Some(session)) if apart(case.epoch, session.epoch) > 4 => {
                    ResumeVerdict::Kicked(KickReason::Gone, None)
                }
                (verdict, _) => verdict,
            }
        }
    }

    /// A displaced session that came back unheard, and was displaced again by another platform, is not known.
    HeirDisplacedIsGone {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            let is_known =
                |ended: &&Ended| ended.names(case.user, case.epoch) || ended.reason != EndReason::OtherPlatform;
            let ended = case.ended.filter(is_known);
            Rules.resume(&ResumeCase { ended, ..*case })
        }
    }

    /// Behind a restart a session that was displaced by another platform does not come back.
    OtherPlatformStaysAway {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            let is_other = case.ended.is_some_and(|ended| ended.reason == EndReason::OtherPlatform)
                && seen(|seen| seen.is_restarted());
            let reconnect_kicks = case.reconnect_kicks && !is_other;
            Rules.resume(&ResumeCase { reconnect_kicks, ..*case })
        }
    }

    /// Behind a restart the displacement of one user on the device is told to whoever logs in there.
    NoticeToAnybody {
        fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, user: UserId) -> bool {
            let anybody = ended.filter(|_| seen(|seen| seen.is_restarted())).map_or(user, |ended| ended.user);
            Rules.owes_notice(enabled, ended, anybody)
        }
    }

    /// That an administrator ended the session while its device was away is told to the next login, too.
    NoticeOfAdministrator {
        fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, user: UserId) -> bool {
            let is_ours = |ended: &&Ended| ended.user == user && ended.owed && ended.acknowledged;
            let administrator = ended.filter(is_ours).is_some_and(|one| one.reason == EndReason::Administrator);
            Rules.owes_notice(enabled, ended, user) || enabled && administrator
        }
    }

    /// Behind a restart only a displacement on the own platform is told to the next login.
    NoticeOfOwnPlatform {
        fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, user: UserId) -> bool {
            let is_restarted = seen(|seen| seen.is_restarted());
            let ended = ended.filter(|ended| ended.reason == EndReason::SamePlatform || !is_restarted);
            Rules.owes_notice(enabled, ended, user)
        }
    }

    /// Who was an administrator when the server started is one until it ends.
    AdministratorsStay {
        fn may_administer(&self, administrators: &BTreeSet<UserId>, user: UserId) -> bool {
            administrators.contains(&user) || seen(|seen| seen.administrators.contains(&user))
        }
    }
}
