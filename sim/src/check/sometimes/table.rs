//! The table of situations, and a set of them.
//!
//! Says what each is. When one is reached is told by `server` and `device`.

macro_rules! situations {
    ($($name:ident = $sentence:literal;)+) => {
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
        }
    };
}

situations! {
    // ---- races between devices ----
    LoginsTogether = "two devices' logins of one user were accepted within 100 ms";
    ResumeMeetsLogin = "a resume was decided within a second of another device's displacing login";
    EndedWhileResuming = "a session was kicked while its device's resume was under way";
    LogoutMeetsDisplacement = "a logout reached the server within a second after its session was displaced";
    DormantDisplaced = "a dormant session was displaced";
    ResumedAsLogin = "a resume was accepted as a login";
    DisplacedWhileAway = "a login learnt that its device was displaced while away [6208]";
    PushedKickLost = "a kick was pushed in vain and learnt by the resume";

    // ---- tickets ----
    ExpiredWhileAway = "a session expired without a link and its device learnt it on return";
    SleptPastTicket = "a device slept past its ticket's end and woke";
    RenewedInLastSecond = "a renewal was decided in the last second of the old ticket";
    RenewalRefused = "a renewal was refused for its ticket";
    LockedOut = "a lock refused a login [70050]";

    // ---- the server's death ----
    DiedBeforeDisk = "the server died between a decision and the disk";
    DiedBeforeArrival = "the server died with a login on disk whose answer never arrived";
    PowerLostKickOwed = "the server lost its power with a kick owed";
    PowerLostBeforeWrite = "the power was lost before anything of a commit was written";
    PowerLostInDisk = "the power was lost while a commit was being written";
    PowerLostAfterCommit = "the power was lost between a commit and its answers";
    PowerLostAfterAnswers = "the power was lost right after the answers to a commit";
    CommitFailed = "a commit failed";
    CutChangeSurvived = "a change whose commit was cut off was there at the next start";
    RestartFoundConnected = "a restarted server found sessions that had been connected";
    Batch = "two or more changes reached the disk as one batch";

    // ---- answers that do not come ----
    AnswerLost = "a login was accepted and its connection ended before the answer arrived";
    LoginAfterUnknown = "a login's outcome stayed unknown [9520] and a later one succeeded";
    RequestUnanswered = "a request was sent and not answered [9520]";
    RequestWithoutLink = "a request found no link [9508]";
    StaleAnswered = "a stale attempt was answered";
    BackOffAtMost = "a device's back-off reached its longest delay";

    // ---- the application's moves ----
    LoginCutOff = "a logout cut off a pending login [6023]";
    SwitchedWithoutLink = "an application switched users while its link was down";
    OwedEndLater = "an owed end was delivered by a later process";
    OwedEndAlone = "an owed end was delivered with nobody logging in";
    RefusedEnd = "a session whose ticket a resume was refused for was ended by its device";
    WipedAndBack = "a device logged in again after its disk was wiped";
    CalledInListener = "a call was made inside a listener";
    SenderElsewhere = "a message reached a second device of its sender";
    SentAgain = "a message was sent again that the server had";
    OwedMessageCame = "a message that was accepted without a link came with the resume";
    MessagesDropped = "a device was told that there was no room for messages";

    // ---- administrators and strangers ----
    AdministratorLinked = "an administrator ended a session with a link";
    AdministratorLinkless = "an administrator ended a session without a link";
    PolicyWhileLive = "the policy changed while sessions were live";
    PolicyThenDisplaced = "a session older than a change of policy was displaced after it";
    StrangerTurnedAway = "a stranger got an error";

    // ---- a return of many ----
    StopTold = "a device was told that its server stops, and came back to the next";
    LoginOutlivedStop = "a login that was sent outlived the server that was to answer it";
    Busy = "a login was turned away by a busy server and accepted later";
    TooOld = "a device gave up on a server of another version [7013]";
    TooFast = "a user logged in too often [60007]";
    SpreadReturn = "a device waited longer than its own link would have asked, because the server had closed it";

    // ---- a server that stands still ----
    WaitedForServer = "a login that was sent to a server that stood still was accepted when it went on";
    OverByStandstill = "a ticket ran out while the server stood still";
    ReadInTime = "a link had been silent for too long when its server went on, and what had arrived kept it";

    LateAndClosed = "a device whose timers ran late was taken for silent by its server";

    // ---- days and presence ----
    TwoDays = "a user counted on two days";
    CameBack = "a user went from online to push online and back";
    SevenDaysPassed = "a user fell from push online to offline by time alone";

    // ---- links as they are ----
    LinkForgotten = "a box on the way forgot a session's connection";
    ForgottenAndBack = "a device whose connection was forgotten resumed its session";
    Beside = "a session went over to a second connection beside its link";
    LinkKept = "a second connection came to nothing and the session stayed on its link";
    CallWaited = "a request waited for a link to rely on and was answered";
    EndGivenUp = "an owed end was given up with the last ticket that it was about";
    PortalOutlived = "a login went on after a portal's page, and was accepted";
    Moved = "a session was resumed over another network than its last";

    // ---- faults that are the device's own ----
    RecordUnwritten = "a login ended because its device's record could not be written [6022]";
    WrittenAgain = "a login that had ended so was made again and worked";
    EndNotKept = "a logout ended because its end could not be kept [6022]";
    RecordAwaited = "a login waited for its device's slow disk, and left";
    DamagedAndBack = "a device whose record was damaged logged in as another one";
    CopyTookOver = "a copy of a device's record logged in while that device was logged in";
    StaleResume = "a resume came after what another copy of its device's record had asked for";
    StaleLogin = "a login came after what another copy of its device's record had asked for";
    LetGo = "a device was let go long after its last ticket had run out";
    CrowdedOut = "a device was let go because there were too many of its user's";
    LetGoAndBack = "a device that had been let go logged in again";
    CacheBroughtAnew = "a device whose caches were damaged was brought a list anew";
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
