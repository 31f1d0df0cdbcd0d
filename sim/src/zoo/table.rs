//! The table of all bugs.
//!
//! F01 to F35 are failures that systems of this kind have had; D1 to D6 are about what a crash may not
//! undo; the rest we thought of ourselves.

use super::client::ClientBug;
use super::device::{self, Forgets, NeverSends};
use super::disk;
use super::driver;
use super::limits::{ClientLimit, ServerLimit};
use super::server::ServerBug;
use super::storage;
use super::wire;
use super::{Broken, Bug, NOT_CONVERGED, PANICKED};

// The sentences of the properties.
pub(super) const ACCOUNT: &str =
    "nothing of another account reaches the application, and nothing at all after logout and uninit";
pub(super) const ADMIN: &str =
    "an administrator's kick ends all sessions and voids their tickets, and nobody else's call does";
pub(super) const AGAIN: &str = "a message that is sent again keeps its number and is stored once";
pub(super) const ATTEMPT: &str = "attempts and epochs only grow, and a stale attempt changes nothing";
pub(super) const CALLS: &str = "every call has exactly one result, in time";
pub(super) const COMMIT: &str = "nothing is said before it is on disk";
pub(super) const CONFIRM: &str = "a device acknowledges the login and confirms the kick that it hears of";
pub(super) const CONNECTING: &str = "every connecting ends once and in time, and nothing ends that did not begin";
pub(super) const CONNECTION: &str =
    "the server closes a connection that is silent, that nobody logs in on, or whose session is over";
pub(super) const COPIES: &str =
    "a device whose attempt is stale goes on under another device id, and no other device does";
pub(super) const DAY: &str = "a user counts once for a day on which a login was accepted, and for nothing else";
pub(super) const DELIVERY: &str =
    "a session is told every message that it was entitled to, in order, or how many there was no room for";
pub(super) const FORM: &str = "what a trace says in one place fits what it says in another";
pub(super) const GHOST: &str = "a session has lost its link just when its connection is gone or its server died";
pub(super) const HEARD: &str =
    "a session's end takes effect on its device at once, and no displaced session comes back unasked";
pub(super) const KICK: &str = "a displaced session's device is told so exactly once, and no other session ends by it";
pub(super) const LINK: &str = "reconnecting follows the back-off, and a link that is up is kept alive";
pub(super) const PACE: &str = "heartbeats come as often as idle links on this network need them, and no more often";
pub(super) const KEPT: &str = "what comes in of messages is told, kept in the conversations, and said to have come";
pub(super) const LISTS: &str = "a login and a resume bring the user's own conversations, as they stood";
pub(super) const LOCK: &str =
    "ten refused tickets within a minute lock their device out for one, and nothing else does";
pub(super) const NOTICE: &str =
    "a displacement a device has not learnt of is told by its next login, once, where that is switched on";
pub(super) const PORTAL: &str = "no login fails by what is no answer of a server";
pub(super) const PROOF: &str = "who cannot prove to be the server is told nothing, and is found out";
pub(super) const OWED: &str =
    "the end of what the application left reaches the server, and ahead of the device's next login";
pub(super) const POLICY: &str = "after every login exactly the set of sessions is left that the policy allows";
pub(super) const PRESENCE: &str = "presence events are numbered without gaps and, replayed, are the truth";
pub(super) const QUERY: &str = "a query shows each user's presence, and unknown users as such";
pub(super) const REASON: &str = "a session's end is told with the reason recorded first, and of no session that lives";
pub(super) const RENEWAL: &str = "after a renewal without an answer the new ticket is tried first, and then the old one, before the session counts as over";
pub(super) const SDK: &str = "a call's result is one that what was called and what came in can lead to";
pub(super) const SERVER: &str = "the server decides, answers and closes what a naive reading of the rules does";
pub(super) const SILENCE: &str =
    "without an account or an owed end the SDK does not connect, resume or log in by itself";
pub(super) const STANDSTILL: &str = "a server that stood still reads what has arrived before it takes anybody for silent, and no session outlives its ticket by that";
pub(super) const STATUS: &str =
    "the login status moves only along its ways, and the login user is set exactly while LOGINED";
pub(super) const TERMINAL: &str =
    "a session ends for the application once: the status, then the pending calls, then the one event";
pub(super) const UNWRITTEN: &str =
    "while a device's record cannot be written, what needs it ends at once, and has not left";
pub(super) const TICKET: &str =
    "a ticket is worth what its signature and its seconds say, and a session lives as long as its ticket";

macro_rules! bugs {
    ($($id:literal $what:literal $source:literal [$($right:expr),*] $system:expr;)+) => {
        &[$(Bug { id: $id, what: $what, source: $source, right: &[$($right),*], system: || $system },)+]
    };
}

pub(super) use bugs;

/// Every bug, in the order of the published table.
pub const BUGS: &[Bug] = bugs! {
    "F01" "a kick ends whatever session the user has on the device, also a newer one" "openimsdk/open-im-server#3449, #3424"
        [KICK] Broken { interceptor: Some(Box::new(device::KicksComeAgain::default())), ..Broken::client(ClientBug::KickWithoutEpoch) };
    "F02" "a late clean-up, looked up by user and device only, removes the session's replacement" "igniterealtime/Openfire PR#1527"
        [TICKET] Broken::interceptor(wire::LateCleanUp::default());
    "F03" "the end of an old connection is taken for the link loss of the session that has a new one" "absmach/fluxmq PR#597, KAFKA-19950"
        [GHOST, PANICKED] Broken::server(ServerBug::StaleDisconnect);
    "F04" "a displacement voids the ticket of the displaced device" "openimsdk/open-im-server#3003, #3076"
        [TICKET] Broken::interceptor(wire::KickVoidsTicket::default());
    "F05" "a kicked device logs in again by itself" "openimsdk/openim-sdk-core#44"
        [SILENCE, STATUS, CALLS] Broken::interceptor(device::KickedLogsInAgain::default());
    "F06" "a displaced session comes back as a login by itself" "openimsdk/open-im-server#1335"
        [HEARD] Broken::server(ServerBug::ResumeTakesTheSeat);
    "F07" "when somebody is displaced, the newcomer is told that they were kicked, too" "TencentCloud/TIMSDK#231"
        [KICK, REASON] Broken::interceptor(wire::NewcomerIsKickedToo);
    "F08" "\"replaced\" is one more reason to try again" "fazer-ai/baileys-api PR#309, mollysocket#102"
        [HEARD, FORM] Broken::client(ClientBug::KickIsRetried);
    "F09" "whatever ended the session, a logout too, the SDK connects again" "conversejs/converse.js#418"
        [SILENCE, ACCOUNT] Broken::client(ClientBug::AlwaysReconnects);
    "F10" "an expired ticket is one more reason to try again" "openimsdk/openim-sdk-core#169"
        [HEARD, FORM] Broken::client(ClientBug::ExpiryIsRetried);
    "F11" "in the place of a resume the SDK logs in" "leancloud Realtime-SDK-Flutter#9"
        [SILENCE, CALLS] Broken::interceptor(device::LogsInToReconnect::default());
    "F12" "the newcomer is registered, and nobody has to go" "emqx/emqx PR#6030"
        [POLICY] Broken::server(ServerBug::NobodyGoes);
    "F13" "the whole platform goes in the place of one instance" "openimsdk/open-im-server#3157, #3306"
        [POLICY] Broken::server(ServerBug::WholePlatformGoes);
    "F13b" "a change of the policy has no effect" "openimsdk/open-im-server#312, #1094"
        [POLICY] Broken::interceptor(wire::PolicyStays::default());
    "F14" "whoever connects gets two connections" "wireapp/wire-webapp PR#21448"
        [SILENCE, FORM] Broken::interceptor(device::ConnectsTwice);
    "F15" "a connection goes, and the session that was on it never loses its link" "esl/MongooseIM#843, processone/ejabberd#2092"
        [GHOST] Broken::server(ServerBug::GhostStays);
    "F16" "once an administrator has kicked a user, no ticket works for them any more" "TencentCloud/TIMSDK#586"
        [TICKET] Broken::server(ServerBug::LaterTicketsAreVoid);
    "F17" "an administrator's kick leaves the old tickets valid" "openimsdk/open-im-server#2335"
        [TICKET, ADMIN] Broken::server(ServerBug::OldTicketsLive);
    "F18" "after an expiry the user counts as logged in, and their next login is not carried out" "JiangJuHong/FlutterTencentImPlugin#66"
        [CALLS, TERMINAL] Broken::interceptor(device::LoginAfterExpiryIsSwallowed::default());
    "F19" "an expiry is never told" "the product's change log 5.1.132, 4.5.15"
        [KICK, TERMINAL, CONNECTING] Broken::interceptor(device::ExpiryIsNotTold);
    "F20" "the late half of a logout tears down whoever is logged in by then" "openimsdk/openim-sdk-core PR#509"
        [STATUS, CALLS, SILENCE] Broken::interceptor(device::LateHalfOfALogout::default());
    "F21" "a login that failed counts as pending for ever" "openim oimws#151"
        [CALLS] Broken::interceptor(device::StaysLoggingIn::default());
    "F22" "after a switch the conversations of the account before are shown" "the product's change log 8.5.6864, 7.3.4358"
        [ACCOUNT] Broken::client(ClientBug::FormerList);
    "F23" "a login that fails has no result" "the product's change log 6.7.3184, 5.8.1668"
        [CALLS, TERMINAL] Broken::interceptor(device::FailedLoginIsNotAnswered);
    "F23b" "a result comes twice" "the product's change log 5.1.137"
        [CALLS] Broken::interceptor(device::ResultsTwice);
    "F24" "after a kick the login user is still set" "TencentCloud/TIMSDK#200"
        [STATUS] Broken::interceptor(device::UserStaysSet::default());
    "F24b" "a kick is confirmed and forgotten, and calls go on" "TencentCloud/TIMSDK#200"
        [HEARD] Broken::client(ClientBug::DeafToKicks);
    "F25" "whoever was kicked while the link was down is told on resuming that all is well" "the product's change log 7.9.5666"
        [KICK, HEARD, REASON] Broken::interceptor(wire::LostKickStaysLost);
    "F26" "one device leaves, and the whole user is shown offline" "openimsdk/open-im-server#862"
        [PRESENCE] Broken::server(ServerBug::OneLeavesAllLeave);
    "F27" "a device that logs in again is counted again" "openimsdk/open-im-server PR#1658, tinode/chat#454"
        [DAY] Broken::server(ServerBug::EveryLoginCounts);
    "F28" "the victims are those that come first in a map, not the oldest" "read in open-im-server's token store"
        [POLICY] Broken::server(ServerBug::FirstInTheMapGoes);
    "F29" "an old session that lives by the same ticket as the newcomer stays" "read in open-im-server's gateway"
        [POLICY] Broken::server(ServerBug::SameTicketStays);
    "F30" "a ticket is refused at its last second" "seen between generators and verifiers"
        [TICKET] Broken::server(ServerBug::TicketDiesEarly);
    "F31" "a kick is told for the push, and once more for the answer" "a kick delivered twice for safety"
        [KICK, TERMINAL] Broken::interceptor(device::KickIsToldTwice);
    "F32" "a listener is called after uninit returned" "queued callbacks"
        [ACCOUNT] Broken::interceptor(device::EventsAfterUninit::default());
    "F33" "attempts are numbered as they arrive, so that one held by the network is the newest" "unordered attempts"
        [ATTEMPT, LINK] Broken::interceptor(wire::NumberedOnArrival::default());
    "F34" "a kick overtakes the answer of the login it ends, and counts for nothing" "two paths to one device"
        [KICK] Broken {
            client: ClientBug::PendingLoginDropsKicks,
            ..Broken::interceptor(wire::KickOvertakesAnswer::default())
        };
    "F35" "with a renewal unanswered the SDK resumes with the old ticket only, and believes its refusal" "unknown outcomes"
        [RENEWAL] Broken::client(ClientBug::OldTicketOnly);

    "D1" "nothing waits for the disk" ""
        [COMMIT] Broken::interceptor(disk::AnswersBeforeCommit);
    "D2" "a change is written in two parts, and a crash comes between them" ""
        [POLICY, PRESENCE, ATTEMPT, GHOST] Broken::interceptor(disk::CommitInTwo);
    "D3" "the last epoch is kept in memory only" ""
        [ATTEMPT] Broken::interceptor(disk::EpochInMemory);
    "D4" "what a device is owed is kept in memory only" ""
        [REASON, NOTICE, KICK] Broken::interceptor(disk::KickOwedInMemory);
    "D5" "which days were counted is kept in memory only" ""
        [DAY] Broken::interceptor(disk::DaysInMemory);
    "D6" "the last change of a batch is called written, and is so only when the next batch is" ""
        [COMMIT, ATTEMPT, PRESENCE, GHOST, FORM] Broken::interceptor(disk::LostBetweenBatches::default());

    "Z01" "the group of the newcomer's platform is looked up under the wrong policy" ""
        [POLICY] Broken::server(ServerBug::WrongGroup);
    "Z02" "one more device than the limit may stay" ""
        [POLICY] Broken::server(ServerBug::OneTooManyStays);
    "Z03" "of several devices the oldest goes, though another has been away for long" ""
        [POLICY] Broken::server(ServerBug::DormantStay);
    "Z04" "a session is dormant only after the span that makes it so, not at its end" ""
        [POLICY] Broken::server(ServerBug::DormantAMomentLate);
    "Z05" "browsers are given the time of phones before they count as dormant" ""
        [POLICY] Broken::interceptor(ServerLimit::WEB_DORMANT_LATE);
    "Z06" "a ticket is good for one second after its last" ""
        [TICKET] Broken::server(ServerBug::TicketDiesLate);
    "Z07" "a ticket's signature is not looked at" ""
        [TICKET] Broken::server(ServerBug::AnySignature);
    "Z08" "whose ticket it is is not looked at" ""
        [TICKET] Broken::server(ServerBug::AnybodysTicket);
    "Z09" "an expired ticket is called so, whatever else is wrong with it" ""
        [TICKET] Broken::server(ServerBug::ExpiredComesFirst);
    "Z10" "a ticket issued in the very second of an administrator's kick still works" ""
        [TICKET] Broken::server(ServerBug::TicketOfTheSecondLives);
    "Z11" "a ticket from the future survives the administrator's kick that ended its session" ""
        [TICKET] Broken::server(ServerBug::FutureTicketLives);
    "Z12" "what an administrator voided is kept in memory only" ""
        [TICKET] Broken::interceptor(disk::VoidsInMemory);
    "Z13" "where displaced sessions may come back, one whose ticket is over hears of the ticket only" ""
        [REASON] Broken::server(ServerBug::ComesBackWithoutTicket);
    "Z14" "a session that ended with its ticket is told that it is gone" ""
        [REASON] Broken::server(ServerBug::ExpiredIsGone);
    "Z15" "a session whose link is lost is not there for a resume" ""
        [REASON] Broken::server(ServerBug::LostIsGone);
    "Z16" "a device without a link is reached by push messages for ever" ""
        [PRESENCE] Broken::server(ServerBug::PushForEver);
    "Z17" "push messages reach a device a day less than they do" ""
        [PRESENCE] Broken::interceptor(ServerLimit::SHORT_PUSH);
    "Z18" "a desktop without a link counts as one that push messages reach" ""
        [PRESENCE] Broken::server(ServerBug::DesktopIsPushable);
    "Z19" "a user counts once, whatever the day" ""
        [DAY] Broken::server(ServerBug::CountsOnce);
    "Z20" "a logout ends only what the same process of its device began" ""
        [ATTEMPT] Broken::server(ServerBug::LogoutSparesEarlierProcesses);
    "Z21" "everybody may make administrative calls" ""
        [ADMIN] Broken::server(ServerBug::EverybodyAdministers);
    "Z22" "the tenth refusal does not lock, the eleventh does" ""
        [LOCK] Broken::server(ServerBug::LocksAtTheEleventh);
    "Z23" "a lock is never taken away" ""
        [LOCK] Broken::server(ServerBug::LockedForEver);
    "Z24" "a login is told of a displacement whose session its device never knew it had" ""
        [NOTICE] Broken::server(ServerBug::NoticeOfTheUnknown);
    "Z25" "a displacement while away is never told at the next login, though that is switched on" ""
        [NOTICE] Broken::server(ServerBug::NoNotice);
    "Z26" "a server that starts does not look at the sessions it knows: no link is lost, no timer runs" ""
        [GHOST, TICKET] Broken::interceptor(wire::NothingRunsAfterARestart);
    "Z27" "a connection on which nobody logs in is never closed" ""
        [CONNECTION] Broken::interceptor(ServerLimit::NO_ADMISSION);
    "Z28" "a silent connection is closed after twice the time" ""
        [CONNECTION] Broken::interceptor(ServerLimit::LATE_SILENCE);
    "Z29" "the connection of an ended session waits for its confirmation for ever" ""
        [CONNECTION] Broken::interceptor(ServerLimit::NO_LINGER);
    "Z30" "what is no frame is ignored, and its connection goes on" ""
        [CONNECTION] Broken::interceptor(wire::GarbageIsIgnored);
    "Z31" "a kick names another reason than there was" ""
        [REASON] Broken::interceptor(wire::WrongReason);
    "Z32" "a kick names the epoch before the one it ends" ""
        [KICK] Broken::interceptor(wire::KickNamesTheEpochBefore);
    "Z33" "each message is delivered twice" ""
        [DELIVERY] Broken { interceptor: Some(Box::new(wire::MessagesTwice)), ..Broken::client(ClientBug::TellsWhatItHas) };
    "Z34" "a message goes out behind the end of the session it was for" ""
        [CONNECTION] Broken::interceptor(wire::MessageAfterTheEnd::default());
    "Z35" "the answers to messages do not wait for the disk" ""
        [COMMIT, FORM] Broken::interceptor(disk::MessagesBeforeCommit);
    "Z36" "logging out one device ends the sessions of the user's others" ""
        [TICKET] Broken::interceptor(wire::LogoutEndsAll::default());
    "Z37" "a login is answered with the conversations of whoever logged in last" ""
        [LISTS] Broken::interceptor(wire::AnothersConversations::default());
    "Z38" "a query shows everybody online" ""
        [QUERY] Broken::interceptor(wire::EverybodyIsOnline);
    "Z39" "an expiry is told as a kick" ""
        [REASON] Broken::interceptor(wire::ExpiryIsAKick);
    "Z40" "ends are not told on the link there is, only to who resumes" ""
        [KICK] Broken::interceptor(wire::NoPush);

    "Z41" "after a logout the conversations are shown as before" ""
        [ACCOUNT] Broken::client(ClientBug::ListAfterLogout);
    "Z43" "nothing is taken back when an account is given up: what waits is told" ""
        [ACCOUNT, CONNECTING] Broken::interceptor(device::NothingIsTakenBack);
    "Z44" "the attempts of one process are not numbered" ""
        [ATTEMPT] Broken::client(ClientBug::AttemptsStandStill);
    "Z45" "how often the SDK was started is not counted" ""
        [ATTEMPT, FORM] Broken::interceptor(Forgets::STARTS);
    "Z46" "a login of the user who is logged in is a switch to them" ""
        [STATUS] Broken::client(ClientBug::RenewalIsASwitch);
    "Z47" "a login while another is pending takes its place, and the first is never answered" ""
        [CALLS, CONNECTING, STATUS, LINK] Broken::client(ClientBug::SecondLoginTakesOver);
    "Z48" "a second init starts the SDK anew" ""
        [CALLS, STATUS, SILENCE, CONNECTING, LINK, FORM] Broken::client(ClientBug::SecondInit);
    "Z49" "each delay of the back-off is twice as long as it may be" ""
        [LINK] Broken::client(ClientBug::SlowBackOff);
    "Z50" "the back-off doubles without end" ""
        [LINK] Broken::client(ClientBug::EndlessBackOff);
    "Z51" "the back-off starts over at every open, however short the link lived" "fazer-ai/baileys-api PR#309"
        [LINK] Broken::client(ClientBug::BackOffForgets);
    "Z52" "the heartbeat comes after twice the time" ""
        [LINK] Broken::interceptor(ClientLimit::LATE_HEARTBEAT);
    "Z53" "a heartbeat's answer is awaited for twice the time" ""
        [LINK] Broken::interceptor(ClientLimit::PATIENT_HEARTBEAT);
    "Z54" "heartbeats are never sent" ""
        [LINK] Broken::interceptor(NeverSends::HEARTBEAT);
    "Z55" "a login is given up after twice the time" ""
        [CALLS] Broken::interceptor(ClientLimit::LATE_LOGIN);
    "Z56" "a request is given up after twice the time" ""
        [CALLS] Broken::interceptor(ClientLimit::LATE_REQUEST);
    "Z57" "an attempt to connect may last for ever" ""
        [CONNECTING, OWED] Broken::interceptor(ClientLimit::ENDLESS_ATTEMPT);
    "Z58" "nobody tells the SDK that its device woke, or that the network changed" ""
        [LINK] Broken::interceptor(device::SleepsOn);
    "Z59" "frames leave ahead of the record they rest on" ""
        [COMMIT, FORM] Broken::interceptor(device::SendsBeforeItStores);
    "Z60" "that an end is owed is kept in memory only" ""
        [OWED, SILENCE, FORM] Broken::interceptor(Forgets::OWED_END);
    "Z61" "that a session has ended is confirmed and not noted" ""
        [COMMIT] Broken::interceptor(Forgets::KNOWN_ENDED);
    "Z62" "the end that is owed does not go ahead of a login" ""
        [OWED, FORM] Broken::interceptor(NeverSends::OWED_LOGOUT);
    "Z63" "a kick is never confirmed" ""
        [CONFIRM] Broken::interceptor(NeverSends::CONFIRMATION);
    "Z64" "that a login's answer has arrived is never said" ""
        [CONFIRM] Broken::interceptor(NeverSends::ACKNOWLEDGEMENT);
    "Z65" "a message without an answer is sent again once the link is back" ""
        [CALLS, DELIVERY] Broken::interceptor(device::SendsAgain::default());
    "Z66" "uninit logs out" ""
        [CALLS, STATUS, FORM] Broken::interceptor(device::UninitLogsOut::default());
    "Z67" "connecting is not told" ""
        [CONNECTING] Broken::interceptor(device::ConnectingIsNotTold);
    "Z68" "the end of a session is told ahead of the results of the calls it ends" ""
        [TERMINAL] Broken::interceptor(device::EndIsToldFirst);
    "Z69" "the login user is set while the login is pending" ""
        [STATUS] Broken::interceptor(device::UserIsSetEarly::default());
    "Z70" "the device goes on with the first epoch it had" ""
        [KICK, HEARD, CONFIRM, FORM] Broken::interceptor(device::EpochIsNotCarried::default());
    "S1" "whoever closed the link, the device is back at once" ""
        [LINK] Broken::client(ClientBug::ReturnsAtOnce);
    "S2" "the device waits for everybody's return, though its own link failed" ""
        [LINK] Broken::client(ClientBug::ReturnsWithEverybody);
    "S3" "however many devices there are, the server names the shortest return spread" ""
        [SERVER] Broken::server(ServerBug::SpreadsNobody);
    "Z71" "a call that is refused after a kick or an expiry is told that the application logged out" ""
        [SDK] Broken::interceptor(device::ReasonIsLost);
    "Z72" "the series of delays goes on after a link that was up for long" ""
        [LINK] Broken::client(ClientBug::BackOffGoesOn);
    "Z73" "how many users a day had is kept in memory only" ""
        [DAY] Broken::interceptor(disk::DayNumbersInMemory);
    "M1" "a message that is sent again is another one" ""
        [AGAIN] Broken::server(ServerBug::EveryMessageIsNew);
    "M2" "of two users who give the same id, the second is told of the first one's message" ""
        [AGAIN] Broken::interceptor(wire::IdsOfAllUsers::default());
    "M3" "a message is owed to no session without a link" ""
        [DELIVERY] Broken::server(ServerBug::OnlyTheConnectedAreOwed);
    "M4" "messages that are owed are kept in memory only" ""
        [DELIVERY] Broken::interceptor(wire::OwedInMemory);
    "M5" "a device acknowledges one message more than came" ""
        [DELIVERY, FORM] Broken::interceptor(device::AcknowledgesAhead);
    "M6" "a resume brings what the device has once more, and it is told again" ""
        [DELIVERY] Broken { interceptor: Some(Box::new(wire::ResumesFromTheStart)), ..Broken::client(ClientBug::TellsWhatItHas) };
    "M7" "the device that sends a message is sent it, too" ""
        [DELIVERY] Broken::server(ServerBug::SenderIsOwed);
    "E1" "an owed end waits for the next login" ""
        [OWED, LINK, NOT_CONVERGED] Broken::client(ClientBug::OwedEndWaitsForALogin);
    "E2" "a session whose resume is refused is over on the device alone, and stays on the server" ""
        [OWED] Broken::client(ClientBug::RefusedSessionIsLeft);
    "E3" "an application that is logged out is told of the attempts to deliver its end" ""
        [CONNECTING, ACCOUNT] Broken::client(ClientBug::EveryAttemptIsTold);
    "E4" "the end that an earlier process left is forgotten at the next start" ""
        [OWED, FORM] Broken::interceptor(device::StartForgetsOwedEnd);
    "E5" "the connection made for an owed end is kept once the end has its answer" ""
        [SILENCE, CONNECTION] Broken::interceptor(device::OwedEndKeepsItsLink::default());
    "S4" "a device that was sent away is back before the server wants it" ""
        [LINK] Broken::client(ClientBug::ReturnsTooSoon);
    "S5" "a login ends when its server is stopped, in the place of waiting for the next" ""
        [SDK] Broken::client(ClientBug::LoginGivesUp);
    "S6" "a server that stops closes without a word" ""
        [SERVER] Broken::interceptor(wire::StopsWithoutAWord);
    "S7" "a server with more to do than it can takes on one more" ""
        [SERVER] Broken::server(ServerBug::NeverBusy);
    "S8" "whoever a busy server turns away is to come back at once" ""
        [SERVER] Broken::server(ServerBug::BusyForNoTime);
    "S9" "a user may log in as often as they like" ""
        [SERVER] Broken::server(ServerBug::LoginsWithoutEnd);
    "S10" "a server of another version is one more reason to try again" ""
        [SILENCE] Broken::client(ClientBug::NothingIsFinal);
    "L1" "however often an idle link is lost without a word, heartbeats come as before" ""
        [PACE] Broken::client(ClientBug::PaceIsFixed);
    "L2" "heartbeats that were once shortened stay so for ever" ""
        [PACE] Broken::client(ClientBug::PaceStaysShort);
    "L3" "the time between heartbeats is halved down to a second" ""
        [PACE] Broken::client(ClientBug::PaceHasNoFloor);
    "C1" "a call made while the link may be dead goes out on it" ""
        [SDK, SILENCE, OWED, RENEWAL] Broken::client(ClientBug::ReliesOnAnyLink);
    "C2" "a link that works is given up with the connection that was to replace it" ""
        [LINK] Broken::client(ClientBug::KeepsNoLink);
    "C3" "a link that may be dead stays when the connection that was to replace it comes to nothing" ""
        [LINK] Broken::client(ClientBug::KeepsAnyLink);
    "C4" "a link that is doubted has ten times the time to show that it lives" ""
        [LINK] Broken::interceptor(ClientLimit::PATIENT_PROBE);
    "C5" "a device that is told of another network only asks its link whether it lives" ""
        [LINK, PACE] Broken::interceptor(device::NetworkChangeIsAWaking);
    "C6" "the link is closed before the connection that is to replace it is made" ""
        [LINK] Broken::interceptor(device::BreaksBeforeItMakes::default());
    "R1" "a device's frames leave before its record is on its disk" ""
        [COMMIT, FORM] Broken::interceptor(storage::LeavesBeforeItsRecord);
    "R2" "a logout says that it is done before its end is on the disk" ""
        [COMMIT] Broken::interceptor(storage::LogoutBeforeItsRecord);
    "R3" "the SDK takes no notice of a record that cannot be written" ""
        [UNWRITTEN] Broken::interceptor(storage::FailedRecordIsNotTold);
    "R4" "once its record could not be written a device lets nobody log in any more" ""
        [UNWRITTEN] Broken::interceptor(storage::FailedRecordIsFinal::default());
    "R5" "the acknowledgement of a login waits for a write, and is gone when that fails" ""
        [CONFIRM, FORM] Broken::interceptor(storage::AcknowledgementWaits::default());
    "R6" "a device whose record is damaged lets nobody log in any more" ""
        [UNWRITTEN] Broken::interceptor(storage::DamagedRecordIsFinal::default());
    "R7" "a login counts as sent as soon as it is handed on, though it still waits for the disk" ""
        [SDK, UNWRITTEN, CONNECTING, CALLS] Broken::interceptor(storage::SentWhenHandedOn);
    "E6" "the end of a session whose ticket has run out is brought to the server for ever" ""
        [OWED] Broken::client(ClientBug::EndIsNeverGivenUp);
    "P1" "the page of a captive portal is taken for the loss of a login's answer" ""
        [PORTAL, SDK] Broken::client(ClientBug::PageEndsLogin);
    "L4" "a heartbeat that the server wants sooner is sent when the device would send it by itself" ""
        [PACE] Broken::client(ClientBug::HeartbeatIsItsOwn);
    "L5" "a displaced session that came back, and did not hear the answer, is told that it is gone" ""
        [REASON] Broken::server(ServerBug::ComesBackOnce);
    "L6" "a device comes back as often as it likes, and each time its user's contacts are told" ""
        [SERVER] Broken::server(ServerBug::ResumesAreFree);
    "K1" "an attempt with the number of the newest is acted upon" ""
        [ATTEMPT, SERVER, PANICKED] Broken::server(ServerBug::EqualAttemptIsNew);
    "K2" "a resume that another copy of the device was ahead of is tried again under the same device id" ""
        [COPIES] Broken::client(ClientBug::StaleIsRetried);
    "S11" "a server that stood still takes for silent whose word it has not read" ""
        [STANDSTILL] Broken::server(ServerBug::JudgesUnread);
    "S12" "a server does not notice that it stood still, and serves on whose ticket ran out meanwhile" ""
        [STANDSTILL] Broken::interceptor(wire::StandstillUnnoticed);
    "E7" "a ticket that is shown while an end is owed is not noted: the next process gives the end up too early" ""
        [OWED] Broken::interceptor(storage::LaterTicketIsNotNoted::default());
    "B1" "a device that nobody uses any more is remembered for ever" ""
        [SERVER] Broken::server(ServerBug::NothingIsLetGo);
    "B2" "every device that a user ever had is remembered, however many there are" ""
        [SERVER] Broken::server(ServerBug::NoneIsTooMany);
    "B3" "of too many devices the one is forgotten whose ticket lasts longest" ""
        [SERVER] Broken::server(ServerBug::NewestIsLetGo);
};

/// Every bug of a driver, in the order of the published table.
pub const DRIVER_BUGS: &[Bug] = bugs! {
    "V01" "a batch is called written while it waits for the next one" ""
        [PRESENCE, ATTEMPT, OWED, TICKET, LISTS, FORM] Broken::driver(driver::AnswersBehindDisk::default());
    "V02" "of a batch of several commits the latter half is written without what is in it" ""
        [PRESENCE, ATTEMPT, OWED, TICKET, LISTS, PANICKED] Broken::driver(driver::HalfABatch);
    "V03" "of a commit only the first fact is written" ""
        [PRESENCE, PANICKED] Broken::driver(driver::HalfACommit);
    "V04" "a commit that fails is taken for one that did not" ""
        [PRESENCE, PANICKED] Broken::driver(driver::CommitErrorSwallowed);
    "V05" "what is committed is not synced" ""
        [PRESENCE, PANICKED, FORM] Broken::driver(driver::NothingSynced);
    "V06" "what the server writes and is not taken at once is lost" ""
        [NOT_CONVERGED, OWED, FORM, PORTAL] Broken::driver(driver::RestLost::OfServer);
    "V07" "what a device writes and is not taken at once is lost" ""
        [NOT_CONVERGED, OWED] Broken::driver(driver::RestLost::OfDevices);
    "V08" "the server writes from the start again what was taken in part" ""
        [NOT_CONVERGED, OWED, FORM, PORTAL] Broken::driver(driver::WriteBeginsAgain);
    "V09" "the server takes a part that it reads for all that has arrived" ""
        [NOT_CONVERGED, OWED] Broken::driver(driver::PartTakenForAll::AtServer);
    "V10" "a device takes a part that it reads for all that has arrived" ""
        [NOT_CONVERGED, OWED, PORTAL] Broken::driver(driver::PartTakenForAll::AtDevices);
    "V11" "what was sent last on a connection goes out on the next one, too" ""
        [HEARD, KICK, REASON, FORM] Broken::driver(driver::SentToNext::default());
    "V12" "what was read last on a connection is read on the next one, too" ""
        [COPIES, ATTEMPT, OWED, FORM] Broken::driver(driver::HeardFromBefore::default());
    "V13" "a device's write is called done while it waits for the next one" ""
        [OWED, ATTEMPT, COPIES, FORM] Broken::driver(driver::WritesBehind::default());
    "V14" "one connection in three begins with words in the clear, before any handshake" ""
        [PROOF] Broken::driver(driver::ClearBeforeHandshake::default());
};
