//! What the SDK decides, wrong only where several things come together.

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::decide::client::Loss;
use gatecrash::decide::{ClientDecisions, Rules};
use gatecrash::id::UserId;
use gatecrash::limits::ClientLimits;
use gatecrash::protocol::{Closing, Refusal};
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;

use super::super::broken::decisions;
use super::seen::seen;

decisions! {
    ClientDecisions;

    /// When a server wants its device back counts for nothing once that was woken, or changed its network.
    RousedReturnsAtOnce {
        fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
            let is_early = matches!(loss, Loss::SentAway(_)) && seen(|seen| seen.is_roused());
            Rules.backoff_delay(limits, number, if is_early { Loss::Own } else { loss }, draw)
        }
    }

    /// Whom the server's end let go comes back at the first moment that it may.
    ReturnsFirst {
        fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
            let draw = if loss == Loss::Own { draw } else { draw >> 3 };
            Rules.backoff_delay(limits, number, loss, draw)
        }
    }

    /// Heartbeats that were shortened are made longer again after twice the time.
    RecoversLate {
        fn heartbeat_recovers(&self, quiet_for: Duration, limits: &ClientLimits) -> bool {
            quiet_for >= limits.heartbeat_recovery * 2
        }
    }

    /// The second idle link lost in a row has heartbeats come as often as they ever may.
    SecondLossIsWorst {
        fn shortened_heartbeat(&self, every: Duration, usual: Duration, limits: &ClientLimits) -> Duration {
            let short = Rules.shortened_heartbeat(every, usual, limits);
            if every < usual { limits.heartbeat_min.min(short) } else { short }
        }
    }

    /// A device that slept takes its link for one that was forgotten for being idle.
    SleepIsIdle {
        fn is_idle_loss(&self, _: Duration, _: Duration, _: &ClientLimits) -> bool {
            true
        }
    }

    /// A ticket that an administrator voided is refused by the SDK itself, as expired, when a device shows it again that
    /// was woken or has changed its network.
    VoidedIsExpired {
        fn login_user(&self, user: &str, ticket: &Ticket, reported_expired: Option<&Ticket>) -> Result<UserId, Code> {
            let named = Rules.login_user(user, ticket, reported_expired)?;
            if seen(|seen| seen.was_voided(ticket) && seen.is_roused()) { Err(Code::TicketKnownExpired) } else { Ok(named) }
        }
    }

    /// A login that the server could not write down is taken for one that was refused.
    UnableIsRefused {
        fn outcome_unknown(&self, code: Code) -> bool {
            code == Code::NoAnswer
        }
    }

    /// An end that the server could not write down counts as delivered on a device that was woken or has changed its
    /// network.
    UnableSettles {
        fn logout_settles(&self, outcome: Result<(), Refusal>) -> bool {
            outcome.is_ok() || outcome == Err(Refusal::Code(Code::ServerUnable)) && seen(|seen| seen.is_roused())
        }
    }

    /// Who is sent away for the second time in a row by a busy server is told that there is no link.
    SecondBusyIsNoLink {
        fn closing_code(&self, why: Closing) -> Code {
            if seen(|seen| seen.times_sent_away()) > 1 { Code::NoLink } else { Rules.closing_code(why) }
        }
    }

    /// An owed end is given up in the last ten seconds in which there may be something to end.
    GivenUpInTheLastSeconds {
        fn end_is_given_up(&self, now: Instant, until: Option<Instant>) -> bool {
            Rules.end_is_given_up(now + Duration::from_secs(10), until)
        }
    }
}
