//! The gates on the way in, in their order, and by which rule an answer turns somebody away at one.

use gatecrash::code::Code;
use gatecrash::protocol::Closing;

use crate::scenario::numbers::TICKET_REFUSALS;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Refusal, ServerFrame};

/// Where on the way in this rule may turn somebody away.
pub(super) fn place(broken: RuleId) -> usize {
    const WAY_IN: [RuleId; 7] = [
        rule("CONN-12"),
        rule("ATT-1"),
        rule("LOGIN-2"),
        rule("TICKET-4"),
        rule("TICKET-3"),
        rule("LOGIN-11"),
        rule("KICK-7"),
    ];
    WAY_IN.iter().position(|one| *one == broken).unwrap_or(WAY_IN.len())
}

/// By which rule such an answer turns somebody away.
pub(super) fn refusal(frame: &ServerFrame) -> Option<(RuleId, String)> {
    let refused = match *frame {
        ServerFrame::LoginRefused { refused, .. } | ServerFrame::RenewAnswer { refused: Some(refused), .. } => refused,
        ServerFrame::ResumeRefused { code, .. } | ServerFrame::ResumeUnable { code, .. } => Refusal::Code(code),
        ServerFrame::ResumeStale { .. } => Refusal::Stale,
        ServerFrame::Closing { why: Closing::Busy, .. } => {
            return Some((const { rule("CONN-12") }, "the server is busy".to_owned()));
        }
        _ => return None,
    };
    let code = match refused {
        Refusal::Stale => return Some((const { rule("ATT-1") }, "its attempt is stale".to_owned())),
        Refusal::Code(code) => code,
    };
    let rule = match code {
        Code::TooManyRefusals => const { rule("TICKET-4") },
        Code::TooManyLogins => const { rule("LOGIN-11") },
        Code::KickedWhileAway => const { rule("KICK-7") },
        Code::UserIdRejected => const { rule("LOGIN-2") },
        Code::NotLoggedIn => const { rule("KICK-10") },
        _ if TICKET_REFUSALS.contains(&code) => const { rule("TICKET-3") },
        _ => return None,
    };
    Some((rule, format!("[{}] {}", code.number(), code.text())))
}
