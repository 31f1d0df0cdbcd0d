//! The table of the hard bugs.
//!
//! H01 and on are of the cores and of what the event world's disk keeps, W01 and on of the drivers and the shipped store.

use super::super::client::ClientBug;
use super::super::server::ServerBug;
use super::super::table::*;
use super::super::{Broken, Bug, NOT_CONVERGED, PANICKED};
use super::batch::{self, Loses};
use super::driver::{self, EndUnnoticed, Keeps, RecordWithout};
use super::restart::ReadsWithout;
use super::said;
use super::seen::Watcher;
use super::sent::{self, Receives, Starts, WaitedRequests};
use super::told::{self, OwedMessage};

/// A server whose decisions know what has happened.
fn server(bug: ServerBug) -> Broken {
    Broken { interceptor: Some(Box::new(Watcher::new())), ..Broken::server(bug) }
}

/// An SDK whose decisions do.
fn client(bug: ClientBug) -> Broken {
    Broken { interceptor: Some(Box::new(Watcher::new())), ..Broken::client(bug) }
}

/// Every hard bug of the cores.
pub const HARD_BUGS: &[Bug] = bugs! {
    "H01" "of three dormant sessions or more the one goes that has been away for longest" ""
        [POLICY] server(ServerBug::LongestAwayGoes);
    "H02" "a session that is owed messages is not taken for dormant" ""
        [POLICY] server(ServerBug::OwedIsAwake);
    "H03" "when two devices have to go at once, the first and the last of them do" ""
        [POLICY] server(ServerBug::FirstAndLastGo);
    "H04" "of several sessions on other platforms those without a link stay" ""
        [POLICY] server(ServerBug::LinklessOthersStay);
    "H05" "where a session without a link on the newcomer's own platform has to go, nobody on another one does" ""
        [POLICY] server(ServerBug::OwnPlatformIsEnough);
    "H06" "a session that lost its link before the server started is dormant so long after the start" ""
        [POLICY, QUERY] server(ServerBug::DormancyStartsAnew);
    "H07" "behind a restart an administrator's kick is told as an expiry to who comes back with a ticket that is over" ""
        [REASON] server(ServerBug::ExpiryCoversAdministrator);
    "H08" "that an administrator ended the session while its device was away is told to the next login, too" ""
        [NOTICE] server(ServerBug::NoticeOfAdministrator);
    "H09" "who was an administrator when the server started is one until it ends" ""
        [ADMIN] server(ServerBug::AdministratorsStay);
    "H10" "a day counts unless it is the last that was counted" ""
        [DAY] server(ServerBug::LastDayOnly);
    "H11" "a day before the last one counted is not counted any more" ""
        [DAY] server(ServerBug::DaysOnlyGrow);
    "H12" "the first ticket that is refused behind a lock locks anew" ""
        [LOCK] server(ServerBug::LockedByOneMore);
    "H13" "what a user called a message is forgotten with its ticket, though the session lives on" ""
        [AGAIN] server(ServerBug::SentEndsWithItsTicket);
    "H14" "a session that got none of its messages is not told how many there was no room for" ""
        [DELIVERY] server(ServerBug::NothingReceivedNothingMissed);
    "H15" "a message that has no room by itself is dropped with the others" ""
        [DELIVERY] server(ServerBug::LongMessageDrops);
    "H16" "a message is owed to a device without a link only if that has acknowledged its login" ""
        [DELIVERY] server(ServerBug::OwedOnceAcknowledged);
    "H17" "of messages for which there is no room for their length one too many stays" ""
        [DELIVERY] server(ServerBug::OneMessageTooManyStays);
    "H18" "behind a restart it is not known that the device of a session that another platform displaced had acknowledged it" ""
        [NOTICE] Broken::interceptor(ReadsWithout::ACKNOWLEDGED_OF_THE_ENDED);
    "H19" "behind a restart every login counts as acknowledged" ""
        [NOTICE, REASON] Broken::interceptor(ReadsWithout::UNACKNOWLEDGED);
    "H20" "behind a restart the days before the last one are forgotten" ""
        [DAY] Broken::interceptor(ReadsWithout::EARLIER_DAYS);
    "H21" "behind a restart a session is owed three messages at most" ""
        [DELIVERY] Broken::interceptor(ReadsWithout::LATER_MESSAGES);
    "H22" "behind a restart an administrator's kick that was confirmed is forgotten" ""
        [REASON] Broken::interceptor(ReadsWithout::CONFIRMED_ENDS);
    "H23" "of a batch of several commits it is not kept which logins were acknowledged" ""
        [NOTICE] Broken::interceptor(Loses::ACKNOWLEDGED);
    "H24" "of a batch of several commits it is not kept which messages arrived" ""
        [DELIVERY] Broken::interceptor(Loses::RECEIVED);
    "H25" "of a batch of several commits it is not kept what an administrator voided" ""
        [TICKET] Broken::interceptor(Loses::VOIDS);
    "H26" "of a batch of several commits it is not kept by which ticket a session lives from now on" ""
        [TICKET] Broken::interceptor(Loses::RENEWALS);
    "H27" "of a batch of several commits it is not kept which messages are owed" ""
        [DELIVERY, PANICKED] Broken::interceptor(Loses::OWED);
    "H28" "of a batch of several commits it is not kept that a logout settled an end" ""
        [REASON, NOTICE] Broken::interceptor(Loses::FORGOTTEN);
    "H29" "the attempt of a login or resume that is refused is not kept" ""
        [ATTEMPT] Broken::interceptor(batch::LoneAttemptIsLost);
    "H30" "a list of conversations that a resume brings is out of order behind the second line" ""
        [LISTS] Broken::interceptor(said::LaterLinesSwap);
    "H31" "of several dormant sessions of a user a query shows the second as one that has just lost its link" ""
        [QUERY] Broken::interceptor(said::OneIsDormant);
    "H32" "when a server wants its device back counts for nothing once that woke or changed its network" ""
        [LINK] client(ClientBug::RousedReturnsAtOnce);
    "H33" "heartbeats that were shortened become longer again after twice the time" ""
        [PACE] client(ClientBug::RecoversLate);
    "H34" "the second idle link that is lost in a row has heartbeats come as often as they ever may" ""
        [PACE] client(ClientBug::SecondLossIsWorst);
    "H35" "a device that slept takes its link for one that was forgotten for being idle" ""
        [PACE] client(ClientBug::SleepIsIdle);
    "H36" "a ticket that an administrator voided is refused by the SDK itself, as expired, on a device that was roused since" ""
        [SDK] client(ClientBug::VoidedIsExpired);
    "H37" "a login that the server could not write down is taken for one that was refused" ""
        [OWED, RENEWAL] client(ClientBug::UnableIsRefused);
    "H38" "an end that the server could not write down counts as delivered on a device that was roused" ""
        [OWED, CONFIRM] client(ClientBug::UnableSettles);
    "H39" "who is sent away for the second time in a row is told that there is no link" ""
        [SDK, CONNECTING] client(ClientBug::SecondBusyIsNoLink);
    "H40" "an owed end is given up in the last ten seconds in which there may be something to end" ""
        [OWED] client(ClientBug::GivenUpInTheLastSeconds);
    "H41" "the list of conversations that comes with a second resume is not taken" ""
        [KEPT] Broken::interceptor(told::SecondListIsNotTaken::default());
    "H42" "a session is told of an attempt that took too long as of one that found no link" ""
        [CONNECTING] Broken::interceptor(told::SlowAttemptIsNoLink::default());
    "H43" "of three lost messages or more one less is told" ""
        [DELIVERY] Broken::interceptor(told::OneLessIsLost);
    "H44" "a new process does not know any more that a session has ended" ""
        [NOTICE, CONFIRM] Broken::interceptor(Starts::WITHOUT_KNOWN_END);
    "H45" "a new process gives an owed end up after half of the time that is left" ""
        [OWED] Broken::interceptor(Starts::WITH_HALF_THE_TIME);
    "H46" "a new process tries to deliver an owed end for as long as a ticket can last" ""
        [OWED] Broken::interceptor(Starts::WITH_ALL_THE_TIME);
    "H47" "a session that has ended is named by the next login alone, whatever becomes of that" ""
        [CONFIRM] Broken::interceptor(sent::EndIsNamedOnce::default());
    "H48" "behind a refused login nothing is said of a session that has ended" ""
        [CONFIRM] Broken::interceptor(sent::RefusedNamesNothing::default());
    "H49" "when a request goes unanswered no heartbeat is sent for it" ""
        [LINK, PACE] Broken::interceptor(sent::UnansweredIsNotDoubted);
    "H51" "whom the server's end let go comes back in the first eighth of the time that is spread" ""
        [LINK] client(ClientBug::ReturnsFirst);
    "H53" "behind a restart single tickets that an administrator voided work again" ""
        [TICKET, FORM] Broken::interceptor(ReadsWithout::SINGLE_VOIDS);
    "H54" "the text of a message that comes with a resume is cut to what a list shows of it" ""
        [KEPT, FORM] Broken::interceptor(OwedMessage::cut());
    "H55" "of a message that comes with a resume sender and receiver change places" ""
        [KEPT, FORM] Broken::interceptor(OwedMessage::turned_round());
    "H56" "a device that has slept is told another reason of its kick" ""
        [KICK, FORM] Broken::interceptor(told::SleeperHearsAnotherReason::default());
    "H59" "of several messages that waited for a link each goes with the text of the last" ""
        [AGAIN, FORM] Broken::interceptor(WaitedRequests::one_text());
    "H60" "of several messages that waited for a link each goes to the receiver of the first" ""
        [AGAIN, FORM] Broken::interceptor(WaitedRequests::one_receiver());
    "H61" "a message that waited for a link goes under another id than the application's" ""
        [AGAIN, FORM] Broken::interceptor(WaitedRequests::another_id());
    "H62" "a query that waited for a link asks for the first of its users alone" ""
        [QUERY, FORM] Broken::interceptor(WaitedRequests::first_user());
    "H63" "an acknowledgement is of one message less than came" ""
        [DELIVERY, FORM] Broken::interceptor(Receives::ACKNOWLEDGES_ONE_LESS);
};

/// Every hard bug of the drivers and of the shipped store.
pub const HARD_DRIVER_BUGS: &[Bug] = bugs! {
    "W01" "of a batch of five commits or more the one in the middle is written without what is in it" ""
        [PRESENCE, PANICKED] Broken::driver(Keeps::AllButTheMiddle);
    "W03" "a full disk is taken for one that has written" ""
        [PRESENCE, PANICKED] Broken::driver(driver::FullDiskIsFine);
    "W04" "the second commit in a row that fails is taken for one that did not" ""
        [PRESENCE, PANICKED] Broken::driver(driver::SecondFailureIsFine::default());
    "W11" "a device's write that fails is taken for one that did not" ""
        [UNWRITTEN] Broken::driver(driver::FailedWriteIsDone);
    "W12" "the second write of a device's process is called done while it waits for the third" ""
        [OWED, COMMIT, FORM] Broken::driver(driver::SecondWriteWaits::default());
    "W13" "a session that is known to have ended is not in a device's record" ""
        [CONFIRM] Broken::driver(RecordWithout::KnownEnd);
};

/// Those that nothing names yet: `docs/zoo.md` says why.
pub const OPEN_BUGS: &[Bug] = bugs! {
    "H50" "a message that is sent while another has no answer goes under that one's id" ""
        [AGAIN] Broken::interceptor(sent::IdOfTheOneBefore::default());
    "H52" "the minute of ten refused tickets begins with the first of them" ""
        [LOCK] server(ServerBug::MinuteFromTheFirst);
    "H57" "a kick that overtook the answer of its login is told without whose login it was" ""
        [KICK] Broken::interceptor(told::HeldKickNamesNobody);
    "H58" "behind a switch whose login failed a refused call is told that the account was switched" ""
        [SDK] Broken::interceptor(told::FailedSwitchIsASwitch::default());
    "W15" "of the first batch behind a store that was opened again the attempts are not written" ""
        [ATTEMPT] Broken::driver(driver::FirstBatchIsLost::default());
    "W16" "of several writes of a device that go together the last one alone is done" ""
        [OWED, COMMIT] Broken::driver(driver::LastWriteOnly);
    "W17" "every list of conversations is written for the user whose list the process wrote first" ""
        [ACCOUNT] Broken::driver(driver::ListsOfTheFirst::default());
    "W18" "when an owed end is given up is not in a device's record" ""
        [OWED] Broken::driver(RecordWithout::OwedUntil);
    "W19" "a device's record holds an owed end or a session that has ended, not both" ""
        [OWED] Broken::driver(RecordWithout::OwedEnd);
    "W20" "the server does not notice that a device has ended its connection" ""
        [GHOST, NOT_CONVERGED] Broken::driver(EndUnnoticed::ByServer);
    "W21" "a device does not notice that the server has ended its connection" ""
        [LINK, NOT_CONVERGED] Broken::driver(EndUnnoticed::ByDevices);
    "W05" "of a batch of several commits it is not written which logins were acknowledged" ""
        [NOTICE] Broken::driver(Keeps::Without(Loses::ACKNOWLEDGED));
    "W06" "of a batch of several commits it is not written which messages arrived" ""
        [DELIVERY] Broken::driver(Keeps::Without(Loses::RECEIVED));
    "W07" "of a batch of several commits it is not written what an administrator voided" ""
        [TICKET] Broken::driver(Keeps::Without(Loses::VOIDS));
    "W08" "of a batch of several commits it is not written by which ticket a session lives from now on" ""
        [TICKET] Broken::driver(Keeps::Without(Loses::RENEWALS));
    "W09" "of a batch of several commits it is not written which messages are owed" ""
        [DELIVERY, PANICKED] Broken::driver(Keeps::Without(Loses::OWED));
    "W10" "the attempt of a login or resume that is refused is not written" ""
        [ATTEMPT] Broken::driver(Keeps::LoneAttempts);
    "W02" "of a commit that says a lot what comes behind the seventh fact is not written" ""
        [PRESENCE, PANICKED] Broken::driver(driver::SevenFacts);
    "W14" "a frame that came in two parts, late on a connection, is read twice" ""
        [ATTEMPT, NOT_CONVERGED] Broken::driver(driver::SplitFrameTwice::default());
};
