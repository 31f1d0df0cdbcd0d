//! The table of situations, and a set of them.
//!
//! Says what each is, and what comes about before it. When one is reached is told by `server` and `device`.

macro_rules! situations {
    ($($name:ident = $sentence:literal $(, after $($part:literal),+)?;)+) => {
        /// Something without which a sweep proves nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Situation { $($name,)+ }

        impl Situation {
            /// All, in the order of the table.
            pub(super) const ALL: &'static [Situation] = &[$(Situation::$name),+];

            /// What happened, as a sentence.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Situation::$name => $sentence,)+ }
            }

            /// What comes about before it, as sentences: how far a run got that did not reach it.
            pub(super) const fn parts(self) -> &'static [&'static str] {
                match self { $(Situation::$name => &[$($($part),+)?],)+ }
            }
        }
    };
}

situations! {
    // ---- races between devices ----
    LoginsTogether = "two devices' logins of one user were accepted within 100 ms", after "two devices' logins of one user were accepted";
    ResumeMeetsLogin = "a resume was decided within a second of another device's displacing login", after "a login displaced another device's session";
    EndedWhileResuming = "a session was kicked while its device's resume was under way", after "a resume was under way";
    LogoutMeetsDisplacement = "a logout reached the server within a second after its session was displaced", after "a session was displaced";
    DormantDisplaced = "a dormant session was displaced", after "a session went dormant";
    ResumedAsLogin = "a resume was accepted as a login";
    DisplacedWhileAway = "a login learnt that its device was displaced while away [6208]";
    PushedKickLost = "a kick was pushed in vain and learnt by the resume", after "a kick was pushed";

    // ---- tickets ----
    ExpiredWhileAway = "a session expired without a link and its device learnt it on return", after "a session expired without a link";
    SleptPastTicket = "a device slept past its ticket's end and woke", after "a session expired while its device slept";
    RenewedInLastSecond = "a renewal was decided in the last second of the old ticket", after "a renewal was decided";
    RenewalRefused = "a renewal was refused for its ticket";
    LockedOut = "a lock refused a login [70050]";

    // ---- the server's death ----
    DiedBeforeDisk = "the server died between a decision and the disk", after "the server died";
    DiedBeforeArrival = "the server died with a login on disk whose answer never arrived", after "the server died with the answer to a login under way";
    PowerLostKickOwed = "the server lost its power with a kick owed", after "a kick was owed", "the server lost its power";
    PowerLostBeforeWrite = "the power was lost before anything of a commit was written", after "such a loss was due";
    PowerLostInDisk = "the power was lost while a commit was being written", after "such a loss was due";
    PowerLostAfterCommit = "the power was lost between a commit and its answers", after "such a loss was due";
    PowerLostAfterAnswers = "the power was lost right after the answers to a commit", after "such a loss was due";
    CommitFailed = "a commit failed";
    CutChangeSurvived = "a change whose commit was cut off was there at the next start", after "the server started again";
    RestartFoundConnected = "a restarted server found sessions that had been connected", after "the server started again";
    Batch = "two or more changes reached the disk as one batch";

    // ---- answers that do not come ----
    AnswerLost = "a login was accepted and its connection ended before the answer arrived", after "a connection ended with a login on it unanswered";
    LoginAfterUnknown = "a login's outcome stayed unknown [9520] and a later one succeeded", after "a login's outcome stayed unknown";
    RequestUnanswered = "a request was sent and not answered [9520]";
    RequestWithoutLink = "a request found no link [9508]";
    StaleAnswered = "a stale attempt was answered";
    BackOffAtMost = "a device's back-off reached its longest delay", after "a device waited for its fifth attempt in a row";

    // ---- the application's moves ----
    LoginCutOff = "a logout cut off a pending login [6023]";
    SwitchedWithoutLink = "an application switched users while its link was down", after "an application asked for another user while its link was down";
    OwedEndLater = "an owed end was delivered by a later process", after "a device noted an end that it owes", "a later process of it owed that";
    OwedEndAlone = "an owed end was delivered with nobody logging in", after "a device noted an end that it owes";
    RefusedEnd = "a session whose ticket a resume was refused for was ended by its device", after "a resume was refused for its ticket";
    WipedAndBack = "a device logged in again after its disk was wiped", after "a device that had logged in was wiped";
    CalledInListener = "a call was made inside a listener";
    SenderElsewhere = "a message reached a second device of its sender";
    SentAgain = "a message was sent again that the server had";
    OwedMessageCame = "a message that was accepted without a link came with the resume", after "a message was accepted for a session without a link";
    MessagesDropped = "a device was told that there was no room for messages";

    // ---- administrators and strangers ----
    AdministratorLinked = "an administrator ended a session with a link";
    AdministratorLinkless = "an administrator ended a session without a link";
    PolicyWhileLive = "the policy changed while sessions were live", after "the policy changed";
    PolicyThenDisplaced = "a session older than a change of policy was displaced after it", after "the policy changed while sessions were live";
    StrangerTurnedAway = "a stranger got an error";

    // ---- a return of many ----
    StopTold = "a device was told that its server stops, and came back to the next", after "a device was told that its server stops";
    LoginOutlivedStop = "a login that was sent outlived the server that was to answer it", after "a login was under way when its server said that it stops";
    Busy = "a login was turned away by a busy server and accepted later", after "a login was turned away by a busy server";
    TooOld = "a device gave up on a server of another version [7013]";
    TooFast = "a user logged in too often [60007]";
    SpreadReturn = "a device waited longer than its own link would have asked, because the server had closed it";

    // ---- a server that stands still ----
    WaitedForServer = "a login that was sent to a server that stood still was accepted when it went on", after "a login was sent to a server that stood still";
    OverByStandstill = "a ticket ran out while the server stood still", after "a server found that it had stood still";
    ReadInTime = "a link had been silent for too long when its server went on, and what had arrived kept it", after "a server found that it had stood still";

    LateAndClosed = "a device whose timers ran late was taken for silent by its server", after "a device's timers ran late";

    // ---- days and presence ----
    TwoDays = "a user counted on two days";
    CameBack = "a user went from online to push online and back", after "a user went from online to push online";
    SevenDaysPassed = "a user fell from push online to offline by time alone", after "a user was push online";

    // ---- links as they are ----
    LinkForgotten = "a box on the way forgot a session's connection";
    ForgottenAndBack = "a device whose connection was forgotten resumed its session", after "a box on the way forgot a session's connection";
    Beside = "a session went over to a second connection beside its link", after "a second connection was asked for beside a link";
    LinkKept = "a second connection came to nothing and the session stayed on its link", after "a second connection was asked for beside a link";
    CallWaited = "a request waited for a link to rely on and was answered", after "a request was made while a second connection was being made";
    EndGivenUp = "an owed end was given up with the last ticket that it was about", after "a device noted an end that it owes";
    PortalOutlived = "a login went on after a portal's page, and was accepted", after "a login got a portal's page for an answer";
    Moved = "a session was resumed over another network than its last", after "a device went to another network with its link up";

    // ---- faults that are the device's own ----
    RecordUnwritten = "a login ended because its device's record could not be written [6022]";
    WrittenAgain = "a login that had ended so was made again and worked", after "a login ended because its device's record could not be written";
    EndNotKept = "a logout ended because its end could not be kept [6022]";
    RecordAwaited = "a login waited for its device's slow disk, and left", after "a device's disk took its time";
    DamagedAndBack = "a device whose record was damaged logged in as another one", after "the record of a device that had logged in was damaged";
    CopyTookOver = "a copy of a device's record logged in while that device was logged in", after "a device went by another's record";
    StaleResume = "a resume came after what another copy of its device's record had asked for";
    StaleLogin = "a login came after what another copy of its device's record had asked for";
    LetGo = "a device was let go long after its last ticket had run out";
    CrowdedOut = "a device was let go because there were too many of its user's";
    LetGoAndBack = "a device that had been let go logged in again", after "a device was let go";
    CacheBroughtAnew = "a device whose caches were damaged was brought a list anew", after "a device's caches were damaged that held a list", "a process of it started after that";

    // ---- bounds, each from both sides ----
    RefusedAndTaken = "a ticket was taken after as many refused ones as do not lock a device out";
    RecordsAtMost = "a lock held that was the oldest of as many records of refused tickets as there is room for";
    RecordMadeRoom = "a ticket was looked at on a device that was locked out, its record having made room for others";
    LastSecondTaken = "a ticket was taken in its last second";
    NextSecondRefused = "a ticket was refused in the second after its last";
    LoginsAtMost = "a user logged in as often at once as they may";
    CapacityAtMost = "as many came at once as a server takes";
    SeatsFull = "a login took the last of several seats of its platform";
    SeatTaken = "a login took a seat of its platform when all of several were taken";
    DayStillKnown = "a login counted for nothing on the oldest day that is remembered";
    DayForgotten = "a login counted for nothing on a day before those that are remembered";
    RememberedAtMost = "one of as many devices without a session as are remembered came back";
    NameAtMost = "a user with the longest name logged in";
    NameTooLong = "a login failed with a name that is one byte too long";
    TextAtMost = "a message with the longest text was accepted";
    TextTooLong = "a message failed with a text that is one byte too long";
    QueryAtMost = "a query about as many users as it may ask of was answered";
    QueryTooLong = "a query failed that asks of one user too many";
    ListAtMost = "a list came with as many lines as it may have, and they were all";
    ListCut = "a list came without the oldest of its conversations";
    PreviewWhole = "a list showed the whole of a text that is as long as a preview";
    PreviewCut = "a list showed a text without its last byte, being one byte longer than a preview";
    OldestFound = "the oldest of as many messages as are remembered of a user was sent again and found";
    OldestForgotten = "a message was forgotten because its user had sent more than are remembered";
    OwedAtMost = "a session was owed as many messages as it may be";
    OwedTooMany = "a session was owed one message too many, and the oldest went";
    OwedBytesAtMost = "a session was owed messages that fill its room to the last byte";
    OwedBytesTooMany = "a session was owed more text than it has room for, and the oldest went";
    UnderWayAtMost = "as many messages were under way to a device as may be";
    UnderWayWaited = "a message waited until some of those under way to its device had come";
    BackOffNoLonger = "a delay of the back-off that doubling would have made longer was the longest";
}

/// A set of situations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached(u128);

const _: () = assert!(Situation::ALL.len() <= u128::BITS as usize, "one bit each");

impl Reached {
    pub(super) fn add(&mut self, situation: Situation) {
        self.0 |= 1 << situation as u32;
    }

    pub(super) fn add_all(&mut self, other: Reached) {
        self.0 |= other.0;
    }

    pub(super) fn has(self, situation: Situation) -> bool {
        self.0 >> situation as u32 & 1 == 1
    }
}

/// The most parts of a situation.
const PARTS_MAX: usize = 2;

/// In how many runs each part of each situation came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts([[u32; PARTS_MAX]; Situation::ALL.len()]);

impl Default for Parts {
    fn default() -> Self {
        Parts([[0; PARTS_MAX]; Situation::ALL.len()])
    }
}

impl Parts {
    /// The part came about in this run: once is enough.
    pub(super) fn add(&mut self, situation: Situation, part: usize) {
        self.0[situation as usize][part] = 1;
    }

    /// The first part of each of these.
    pub(super) fn add_firsts(&mut self, situations: &[Situation]) {
        situations.iter().for_each(|&situation| self.add(situation, 0));
    }

    pub(super) fn add_all(&mut self, other: &Parts) {
        for (ours, theirs) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *ours = ours.saturating_add(*theirs);
        }
    }

    /// In how many runs each part of this one came about.
    pub(super) fn of(&self, situation: Situation) -> &[u32] {
        &self.0[situation as usize][..situation.parts().len()]
    }
}
