//! How a session's end is remembered, told and settled, decided wrong where several things come together.

use std::collections::BTreeSet;

use gatecrash::code::Code;
use gatecrash::decide::server::{ResumeCase, ResumeVerdict};
use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::id::{Attempt, Epoch, UserId};
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

    /// Who was displaced by another platform and comes back with a ticket that has run out is told of the ticket.
    ExpiryCoversDisplacement {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            match Rules.resume(case) {
                ResumeVerdict::Kicked(KickReason::OtherPlatform, _) if case.ticket == Err(Code::TicketExpired) => {
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
                (ResumeVerdict::LoginAgain, Some(session)) if apart(case.epoch, session.epoch) > 2 => {
                    ResumeVerdict::Kicked(KickReason::Gone, None)
                }
                (verdict, _) => verdict,
            }
        }
    }

    /// A displaced session that came back unheard and was displaced again is not known.
    HeirDisplacedIsGone {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            let ended = case.ended.filter(|ended| ended.names(case.user, case.epoch));
            Rules.resume(&ResumeCase { ended, ..*case })
        }
    }

    /// Whether a displaced session that came back unheard is known depends on the switch as it stands now, but one that
    /// was displaced for another platform never comes back.
    OtherPlatformStaysAway {
        fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
            let is_other = case.ended.is_some_and(|ended| ended.reason == EndReason::OtherPlatform && ended.acknowledged);
            let reconnect_kicks = case.reconnect_kicks && !is_other;
            Rules.resume(&ResumeCase { reconnect_kicks, ..*case })
        }
    }

    /// The displacement of one user on the device is told to whoever logs in there.
    NoticeToAnybody {
        fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, _: UserId) -> bool {
            ended.is_some_and(|ended| Rules.owes_notice(enabled, Some(ended), ended.user))
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

    /// Only a displacement on the own platform is told to the next login.
    NoticeOfOwnPlatform {
        fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, user: UserId) -> bool {
            let ended = ended.filter(|ended| ended.reason == EndReason::SamePlatform);
            Rules.owes_notice(enabled, ended, user)
        }
    }

    /// Whoever confirms an earlier end of the user has confirmed the last one.
    EarlierEndSettles {
        fn settles(&self, ended: Option<&Ended>, user: UserId, epoch: Epoch) -> bool {
            ended.is_some_and(|ended| ended.user == user && ended.owed && epoch <= ended.epoch)
        }
    }

    /// An attempt of an earlier process counts as new if that process had made more of them.
    EarlierProcessIsNew {
        fn is_new_attempt(&self, highest: Option<Attempt>, attempt: Attempt) -> bool {
            highest.is_none_or(|highest| attempt.start == highest.start && attempt > highest
                || attempt.start > highest.start
                || attempt.start < highest.start && attempt.count > highest.count)
        }
    }

    /// Who was an administrator when the server started is one until it ends.
    AdministratorsStay {
        fn may_administer(&self, administrators: &BTreeSet<UserId>, user: UserId) -> bool {
            administrators.contains(&user) || seen(|seen| seen.administrators.contains(&user))
        }
    }
}
