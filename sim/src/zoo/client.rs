//! Broken decisions of the SDK.
//!
//! What a decision cannot express (what is told when, and what is kept) is in `device`.

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::decide::client::{
    Arguments, CallKind, KickVerdict, LoginKind, Loss, ResumeVerdict, Standing, TicketChoice,
};
use gatecrash::decide::{ClientDecisions, Rules};
use gatecrash::id::{Attempt, UserId};
use gatecrash::limits::ClientLimits;
use gatecrash::protocol::{Closing, Kick, Message, Refusal, ResumeOutcome, Return, SessionName};
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;

use super::broken::broken;
use super::hard::sdk::*;

broken! {
    ($)
    /// What is broken in the SDK's decisions.
    enum ClientBug implements ClientDecisions asked by ask
    beside [
        RousedReturnsAtOnce, ReturnsFirst, RecoversLate, SecondLossIsWorst, SleepIsIdle, VoidedIsExpired, UnableIsRefused,
        UnableSettles, SecondBusyIsNoLink, GivenUpInTheLastSeconds
    ];

    /// F01: a kick ends whatever session the user has, also a newer one.
    KickWithoutEpoch {
        fn kick_verdict(&self, kick: &Kick, standing: Standing) -> KickVerdict {
            match standing {
                Standing::LoggedIn { session, .. } if session.user == kick.user => KickVerdict::Apply,
                Standing::Uninitialised
                | Standing::Nobody
                | Standing::LoggingIn(_)
                | Standing::LoggedIn { .. }
                | Standing::LoggingOut => Rules.kick_verdict(kick, standing),
            }
        }
    }

    /// F24: a kick is confirmed and forgotten; the login user stays, and calls are tried.
    DeafToKicks {
        fn kick_verdict(&self, _: &Kick, _: Standing) -> KickVerdict {
            KickVerdict::Drop
        }
    }

    /// A kick that comes while a login is pending is dropped.
    PendingLoginDropsKicks {
        fn kick_verdict(&self, kick: &Kick, standing: Standing) -> KickVerdict {
            match Rules.kick_verdict(kick, standing) {
                KickVerdict::Hold => KickVerdict::Drop,
                verdict @ (KickVerdict::Apply | KickVerdict::Drop) => verdict,
            }
        }
    }

    /// F08: "replaced" is one more reason to try again.
    KickIsRetried {
        fn resume_verdict(&self, outcome: ResumeOutcome, other_left: bool) -> ResumeVerdict {
            match outcome {
                ResumeOutcome::Kicked(_) => ResumeVerdict::Again(Code::NoLink),
                ResumeOutcome::Resumed { .. }
                | ResumeOutcome::LoggedIn(_)
                | ResumeOutcome::Expired
                | ResumeOutcome::Refused(_)
                | ResumeOutcome::Unable(_)
                | ResumeOutcome::Stale => Rules.resume_verdict(outcome, other_left),
            }
        }
    }

    /// F10: an expired ticket is one more reason to try again.
    ExpiryIsRetried {
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

    /// A resume that is stale is tried again under the same device id.
    StaleIsRetried {
        fn resume_verdict(&self, outcome: ResumeOutcome, other_left: bool) -> ResumeVerdict {
            match outcome {
                ResumeOutcome::Stale => ResumeVerdict::Again(Code::NoAnswer),
                ResumeOutcome::Resumed { .. }
                | ResumeOutcome::LoggedIn(_)
                | ResumeOutcome::Kicked(_)
                | ResumeOutcome::Expired
                | ResumeOutcome::Refused(_)
                | ResumeOutcome::Unable(_) => Rules.resume_verdict(outcome, other_left),
            }
        }
    }

    /// F35: with a renewal unanswered the SDK resumes with the old ticket, and believes its refusal.
    OldTicketOnly {
        fn resume_ticket(&self, _: bool) -> TicketChoice {
            TicketChoice::Accepted
        }

        fn resume_verdict(&self, outcome: ResumeOutcome, _: bool) -> ResumeVerdict {
            Rules.resume_verdict(outcome, false)
        }
    }

    /// F09: whatever ended the session, a logout too, the SDK connects again.
    AlwaysReconnects {
        fn reconnects(&self, standing: Standing, _: bool) -> bool {
            match standing {
                Standing::Nobody | Standing::LoggingIn(_) | Standing::LoggedIn { .. } => true,
                Standing::Uninitialised | Standing::LoggingOut => false,
            }
        }
    }

    /// An owed end waits for the next login.
    OwedEndWaitsForALogin {
        fn reconnects(&self, standing: Standing, _: bool) -> bool {
            Rules.reconnects(standing, false)
        }
    }

    /// What the server asks for is not heard.
    HeartbeatIsItsOwn {
        fn usual_heartbeat(&self, _: Option<Duration>, limits: &ClientLimits) -> Duration {
            limits.heartbeat
        }
    }

    /// The page of a portal is taken for the loss of the answer.
    PageEndsLogin {
        fn login_outlives_no_frame(&self) -> bool {
            false
        }
    }

    /// As long as the server says nothing, an owed end is tried.
    EndIsNeverGivenUp {
        fn end_is_given_up(&self, _: Instant, _: Option<Instant>) -> bool {
            false
        }
    }

    /// The application is told of every attempt, also when it is logged out.
    EveryAttemptIsTold {
        fn tells_of_attempts(&self, _: Standing) -> bool {
            true
        }
    }

    /// A session whose ticket is refused is over, as far as the device cares.
    RefusedSessionIsLeft {
        fn resume_verdict(&self, outcome: ResumeOutcome, other_left: bool) -> ResumeVerdict {
            match Rules.resume_verdict(outcome, other_left) {
                ResumeVerdict::Refused => ResumeVerdict::Expired,
                verdict @ (ResumeVerdict::Resumed { .. }
                | ResumeVerdict::LoggedIn(_)
                | ResumeVerdict::Kicked(_)
                | ResumeVerdict::Expired
                | ResumeVerdict::OtherTicket
                | ResumeVerdict::Again(_)
                | ResumeVerdict::NewDevice) => verdict,
            }
        }
    }

    /// F22: after a switch the conversations of the account before are shown.
    FormerList {
        fn viewer_after_login(&self, before: Option<UserId>, user: UserId) -> Option<UserId> {
            before.or(Some(user))
        }
    }

    /// After a logout the conversations are shown as before.
    ListAfterLogout {
        fn viewer_after_logout(&self, before: Option<UserId>) -> Option<UserId> {
            before
        }
    }

    /// Attempts of one process are not numbered.
    AttemptsStandStill {
        fn next_attempt(&self, last: Attempt) -> Attempt {
            Attempt { start: last.start, count: 1 }
        }
    }

    /// A login of the user who is logged in is a switch to them.
    RenewalIsASwitch {
        fn login_kind(&self, standing: Standing, user: UserId) -> LoginKind {
            match Rules.login_kind(standing, user) {
                LoginKind::Renewal => LoginKind::Switch,
                kind @ (LoginKind::Login | LoginKind::Switch) => kind,
            }
        }
    }

    /// A login while another is pending takes its place, and the first is never answered.
    SecondLoginTakesOver {
        fn call_refusal(&self, call: CallKind, standing: Standing, viewer: Option<UserId>) -> Option<Code> {
            match (call, standing) {
                (CallKind::Login, Standing::LoggingIn(_)) => None,
                _ => Rules.call_refusal(call, standing, viewer),
            }
        }
    }

    /// A second `init` starts the SDK anew.
    SecondInit {
        fn call_refusal(&self, call: CallKind, standing: Standing, viewer: Option<UserId>) -> Option<Code> {
            match call {
                CallKind::Init => None,
                _ => Rules.call_refusal(call, standing, viewer),
            }
        }
    }

    /// Each delay is twice as long as it may be.
    SlowBackOff {
        fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
            Rules.backoff_delay(limits, number, loss, draw) * 2
        }
    }

    /// The delays double without end.
    EndlessBackOff {
        fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
            let limits = ClientLimits { backoff_max: Duration::from_secs(24 * 60 * 60), ..limits.clone() };
            Rules.backoff_delay(&limits, number, loss, draw)
        }
    }

    /// A server of another version is one more reason to try again.
    NothingIsFinal {
        fn is_final(&self, _: Code) -> bool {
            false
        }
    }

    /// Whoever closed the link, the device is back at once.
    ReturnsAtOnce {
        fn backoff_delay(&self, limits: &ClientLimits, number: u32, _: Loss, draw: u64) -> Duration {
            Rules.backoff_delay(limits, number, Loss::Own, draw)
        }
    }

    /// A device that was sent away is back before the server wants it.
    ReturnsTooSoon {
        fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
            let loss = match loss {
                Loss::SentAway(Return { spread, .. }) => Loss::Closed { return_spread: spread },
                Loss::Own | Loss::Closed { .. } => loss,
            };
            Rules.backoff_delay(limits, number, loss, draw)
        }
    }

    /// A login ends when its server is stopped or has no place, in the place of waiting.
    LoginGivesUp {
        fn login_outlives(&self, _: Closing) -> bool {
            false
        }
    }

    /// The device takes as long as everybody to come back, though its own link failed.
    ReturnsWithEverybody {
        fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
            let loss = if loss == Loss::Own { Loss::Closed { return_spread: Duration::from_secs(30) } } else { loss };
            Rules.backoff_delay(limits, number, loss, draw)
        }
    }

    /// A message that is there already is told again.
    TellsWhatItHas {
        fn is_new_message(&self, _: u64, _: u64) -> bool {
            true
        }
    }

    /// However often an idle link is lost, heartbeats come as before.
    PaceIsFixed {
        fn is_idle_loss(&self, _: Duration, _: Duration, _: &ClientLimits) -> bool {
            false
        }
    }

    /// Heartbeats once shortened stay so.
    PaceStaysShort {
        fn heartbeat_recovers(&self, _: Duration, _: &ClientLimits) -> bool {
            false
        }
    }

    /// The time between heartbeats is halved without end.
    PaceHasNoFloor {
        fn shortened_heartbeat(&self, every: Duration, _: Duration, _: &ClientLimits) -> Duration {
            (every / 2).max(Duration::from_secs(1))
        }
    }

    /// Calls are sent on a link that may be dead.
    ReliesOnAnyLink {
        fn relies_on_link(&self, _: bool) -> bool {
            true
        }
    }

    /// A link that works is given up with the connection that was to replace it.
    KeepsNoLink {
        fn keeps_link(&self, _: bool, _: Code) -> bool {
            false
        }
    }

    /// A link that may be dead stays when the connection that was to replace it comes to nothing.
    KeepsAnyLink {
        fn keeps_link(&self, _: bool, _: Code) -> bool {
            true
        }
    }

    /// A series of delays goes on after a link that was up for as long as you like.
    BackOffGoesOn {
        fn backoff_restarts(&self, _: Duration, _: &ClientLimits) -> bool {
            false
        }
    }

    /// The back-off starts over at every open, however short the link lived.
    BackOffForgets {
        fn backoff_restarts(&self, _: Duration, _: &ClientLimits) -> bool {
            true
        }
    }
}

impl ClientDecisions for ClientBug {
    fn relies_on_link(&self, in_doubt: bool) -> bool {
        ask!(self.relies_on_link(in_doubt))
    }

    fn keeps_link(&self, answered: bool, code: Code) -> bool {
        ask!(self.keeps_link(answered, code))
    }

    fn call_refusal(&self, call: CallKind, standing: Standing, viewer: Option<UserId>) -> Option<Code> {
        ask!(self.call_refusal(call, standing, viewer))
    }

    fn login_user(&self, user: &str, ticket: &Ticket, reported_expired: Option<&Ticket>) -> Result<UserId, Code> {
        ask!(self.login_user(user, ticket, reported_expired))
    }

    fn argument_refusal(&self, arguments: Arguments<'_>) -> Option<Code> {
        ask!(self.argument_refusal(arguments))
    }

    fn login_kind(&self, standing: Standing, user: UserId) -> LoginKind {
        ask!(self.login_kind(standing, user))
    }

    fn outcome_unknown(&self, code: Code) -> bool {
        ask!(self.outcome_unknown(code))
    }

    fn logout_settles(&self, outcome: Result<(), Refusal>) -> bool {
        ask!(self.logout_settles(outcome))
    }

    fn viewer_after_login(&self, before: Option<UserId>, user: UserId) -> Option<UserId> {
        ask!(self.viewer_after_login(before, user))
    }

    fn viewer_after_logout(&self, before: Option<UserId>) -> Option<UserId> {
        ask!(self.viewer_after_logout(before))
    }

    fn shows_message(&self, message: &Message, standing: Standing) -> bool {
        ask!(self.shows_message(message, standing))
    }

    fn is_new_message(&self, last: u64, place: u64) -> bool {
        ask!(self.is_new_message(last, place))
    }

    fn kick_verdict(&self, kick: &Kick, standing: Standing) -> KickVerdict {
        ask!(self.kick_verdict(kick, standing))
    }

    fn expiry_applies(&self, ended: SessionName, standing: Standing) -> bool {
        ask!(self.expiry_applies(ended, standing))
    }

    fn resume_ticket(&self, unconfirmed: bool) -> TicketChoice {
        ask!(self.resume_ticket(unconfirmed))
    }

    fn resume_verdict(&self, outcome: ResumeOutcome, other_left: bool) -> ResumeVerdict {
        ask!(self.resume_verdict(outcome, other_left))
    }

    fn reconnects(&self, standing: Standing, owes_end: bool) -> bool {
        ask!(self.reconnects(standing, owes_end))
    }

    fn login_outlives_no_frame(&self) -> bool {
        ask!(self.login_outlives_no_frame())
    }

    fn session_lasts(&self, ticket_lasts: Option<Duration>) -> Duration {
        ask!(self.session_lasts(ticket_lasts))
    }

    fn end_is_given_up(&self, now: Instant, until: Option<Instant>) -> bool {
        ask!(self.end_is_given_up(now, until))
    }

    fn tells_of_attempts(&self, standing: Standing) -> bool {
        ask!(self.tells_of_attempts(standing))
    }

    fn is_final(&self, code: Code) -> bool {
        ask!(self.is_final(code))
    }

    fn closing_code(&self, why: Closing) -> Code {
        ask!(self.closing_code(why))
    }

    fn login_outlives(&self, why: Closing) -> bool {
        ask!(self.login_outlives(why))
    }

    fn next_attempt(&self, last: Attempt) -> Attempt {
        ask!(self.next_attempt(last))
    }

    fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
        ask!(self.backoff_delay(limits, number, loss, draw))
    }

    fn backoff_restarts(&self, up_for: Duration, limits: &ClientLimits) -> bool {
        ask!(self.backoff_restarts(up_for, limits))
    }

    fn heartbeat_due(&self, idle_for: Duration, every: Duration) -> bool {
        ask!(self.heartbeat_due(idle_for, every))
    }

    fn usual_heartbeat(&self, told: Option<Duration>, limits: &ClientLimits) -> Duration {
        ask!(self.usual_heartbeat(told, limits))
    }

    fn is_idle_loss(&self, idle_for: Duration, every: Duration, limits: &ClientLimits) -> bool {
        ask!(self.is_idle_loss(idle_for, every, limits))
    }

    fn shortened_heartbeat(&self, every: Duration, usual: Duration, limits: &ClientLimits) -> Duration {
        ask!(self.shortened_heartbeat(every, usual, limits))
    }

    fn heartbeat_recovers(&self, quiet_for: Duration, limits: &ClientLimits) -> bool {
        ask!(self.heartbeat_recovers(quiet_for, limits))
    }

    fn recovered_heartbeat(&self, every: Duration, usual: Duration) -> Duration {
        ask!(self.recovered_heartbeat(every, usual))
    }
}
