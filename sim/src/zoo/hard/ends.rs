//! How a session's end is remembered, told and settled, decided wrong where several things come together.

use std::collections::BTreeSet;

use gatecrash::code::Code;
use gatecrash::decide::server::{ResumeCase, ResumeVerdict};
use gatecrash::decide::{Rules, ServerDecisions};
use gatecrash::id::UserId;
use gatecrash::protocol::KickReason;
use gatecrash::store::{EndReason, Ended};

use super::super::broken::decisions;
use super::seen::seen;

decisions! {
    ServerDecisions;

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

    /// That an administrator ended the session while its device was away is told to the next login, too.
    NoticeOfAdministrator {
        fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, user: UserId) -> bool {
            let is_ours = |ended: &&Ended| ended.user == user && ended.owed && ended.acknowledged;
            let administrator = ended.filter(is_ours).is_some_and(|one| one.reason == EndReason::Administrator);
            Rules.owes_notice(enabled, ended, user) || enabled && administrator
        }
    }

    /// Who was an administrator when the server started is one until it ends.
    AdministratorsStay {
        fn may_administer(&self, administrators: &BTreeSet<UserId>, user: UserId) -> bool {
            administrators.contains(&user) || seen(|seen| seen.administrators.contains(&user))
        }
    }
}
