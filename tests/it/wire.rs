//! The codec: golden bytes of every frame, both ways; bounds; bytes that are no frames (INPUT-1).

use std::time::Duration;

use bytes::BytesMut;
use gatecrash::code::Code;
use gatecrash::driver::wire::{FrameReader, REPORT_DEVICES_MAX, USER_TEXT_BYTES_MAX, Unreadable, WireFrame, write};
use gatecrash::id::{Attempt, CallId, DeviceId, Epoch, MessageId, PublicName, SendId, UserId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{
    Admission, CONVERSATIONS_MAX, ClientFrame, Closing, Conversation, DeviceState, DeviceStatus, FRAME_BYTES_MAX,
    FrameError, Kick, KickReason, Message, PREVIEW_BYTES_MAX, Presence, QUERY_USERS_MAX, RETURN_MAX, Refusal,
    ResumeOutcome, Return, ServerFrame, SessionName, StatusReport, TEXT_BYTES_MAX, Terms, UserStatus, VERSION,
};
use gatecrash::ticket::Ticket;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixed_seed;

type FromDevice = ClientFrame<Ticket>;

const TERMS: Terms = Terms { return_spread: Duration::from_millis(250), heartbeat: None };

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn alice(epoch: u64) -> SessionName {
    SessionName { user: user("alice"), epoch: Epoch(epoch) }
}

fn from_device() -> Vec<(&'static str, FromDevice)> {
    let call = CallId(7);
    let attempt = Attempt { start: 2, count: 300 };
    let SessionName { user: alice_id, epoch } = alice(5);
    let ticket = Ticket::from("eJyrVgrx");
    vec![
        (
            "hello",
            ClientFrame::Hello { version: VERSION, device: DeviceId::from_bytes([0xd1; 16]), platform: Platform::Web },
        ),
        (
            "login",
            ClientFrame::Login {
                call,
                attempt,
                user: "alice".into(),
                ticket: ticket.clone(),
                known_ended: Some(alice(4)),
            },
        ),
        (
            "login, plain",
            ClientFrame::Login { call, attempt, user: "alice".into(), ticket: ticket.clone(), known_ended: None },
        ),
        ("login acknowledged", ClientFrame::LoginAcknowledged { user: alice_id, epoch }),
        ("resume", ClientFrame::Resume { attempt, user: alice_id, epoch, ticket: ticket.clone(), received: 4 }),
        ("renew", ClientFrame::Renew { call, attempt, user: alice_id, epoch, ticket }),
        ("logout", ClientFrame::Logout { call, attempt }),
        ("logout, owed", ClientFrame::Logout { call: CallId::NONE, attempt: Attempt::default() }),
        ("heartbeat", ClientFrame::Heartbeat),
        ("kick confirmed", ClientFrame::KickConfirmed { user: alice_id, epoch }),
        (
            "send message",
            ClientFrame::SendMessage { call, id: SendId::from_bytes([6; 16]), to: user("bob"), text: "héllo".into() },
        ),
        ("admin kick", ClientFrame::AdminKick { call, user: user("bob") }),
        ("query status", ClientFrame::QueryStatus { call, users: vec![alice_id, user("bob")] }),
        ("messages received", ClientFrame::MessagesReceived { user: alice_id, epoch, through: 4 }),
    ]
}

fn from_server() -> Vec<(&'static str, ServerFrame)> {
    let call = CallId(7);
    let attempt = Attempt { start: 2, count: 300 };
    let conversations = vec![Conversation { peer: user("bob"), last: MessageId(9), preview: "see you".into() }];
    let admission = Admission { epoch: Epoch(5), conversations: conversations.clone(), terms: TERMS };
    let name = PublicName::from_bytes(*b"8 bytes!");
    let kick = |reason, by| Kick { user: user("alice"), epoch: Epoch(5), reason, by };
    let resume = |outcome| ServerFrame::ResumeAnswer { attempt, outcome };
    let report = StatusReport {
        users: vec![UserStatus {
            user: user("alice"),
            presence: Presence::PushOnline,
            devices: vec![
                DeviceStatus { device: name, platform: Platform::Android, state: DeviceState::Connected },
                DeviceStatus { device: name, platform: Platform::Mac, state: DeviceState::Dormant },
            ],
        }],
        unknown: vec![user("zed")],
    };
    let message = Message { id: MessageId(9), from: user("bob"), to: user("alice"), text: "see you".into() };
    vec![
        ("login answer, admitted", ServerFrame::LoginAnswer { call, outcome: Ok(admission.clone()) }),
        ("login answer, refused", ServerFrame::LoginAnswer { call, outcome: Err(Refusal::Code(Code::TicketExpired)) }),
        ("login answer, stale", ServerFrame::LoginAnswer { call, outcome: Err(Refusal::Stale) }),
        ("resume answer, resumed", resume(ResumeOutcome::Resumed { conversations, terms: TERMS, dropped: 2 })),
        ("resume answer, logged in", resume(ResumeOutcome::LoggedIn(admission))),
        ("resume answer, kicked", resume(ResumeOutcome::Kicked(kick(KickReason::Gone, None)))),
        ("resume answer, expired", resume(ResumeOutcome::Expired)),
        ("resume answer, refused", resume(ResumeOutcome::Refused(Code::TicketVoided))),
        ("resume answer, unable", resume(ResumeOutcome::Unable(Code::ServerUnable))),
        ("resume answer, stale", resume(ResumeOutcome::Stale)),
        ("renew answer, done", ServerFrame::RenewAnswer { call, outcome: Ok(()) }),
        ("renew answer, refused", ServerFrame::RenewAnswer { call, outcome: Err(Refusal::Code(Code::NotLoggedIn)) }),
        ("logout answer, done", ServerFrame::LogoutAnswer { call, outcome: Ok(()) }),
        ("logout answer, stale", ServerFrame::LogoutAnswer { call, outcome: Err(Refusal::Stale) }),
        ("heartbeat answer", ServerFrame::HeartbeatAnswer),
        ("kick", ServerFrame::Kick(kick(KickReason::SamePlatform, Some(name)))),
        ("expired", ServerFrame::Expired(alice(5))),
        ("send answer, done", ServerFrame::SendAnswer { call, outcome: Ok(MessageId(9)) }),
        ("send answer, refused", ServerFrame::SendAnswer { call, outcome: Err(Code::UnknownUser) }),
        ("message", ServerFrame::Message { place: 5, message }),
        ("admin kick answer, done", ServerFrame::AdminKickAnswer { call, outcome: Ok(()) }),
        ("admin kick answer, refused", ServerFrame::AdminKickAnswer { call, outcome: Err(Code::NotAdministrator) }),
        ("status answer", ServerFrame::StatusAnswer { call, outcome: Ok(report) }),
        ("status answer, refused", ServerFrame::StatusAnswer { call, outcome: Err(Code::NotAdministrator) }),
        ("error", ServerFrame::Error(FrameError::OutOfPlace)),
        (
            "closing",
            ServerFrame::Closing {
                why: Closing::Stopping,
                come_back: Return { after: Duration::from_secs(1), spread: Duration::from_millis(250) },
            },
        ),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn golden_lines<Frame: WireFrame>(side: &str, frames: &[(&'static str, Frame)]) -> String {
    let mut lines = String::new();
    for (name, frame) in frames {
        let mut bytes = BytesMut::new();
        write(frame, &mut bytes);
        lines += &format!("{side}: {name}: {}\n", hex(&bytes));
    }
    lines
}

/// Reads the one frame that these bytes are.
fn read<Frame: WireFrame>(bytes: &[u8]) -> Result<Frame, Unreadable> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(FrameReader::default().next(&mut &*bytes))
}

const GOLDEN: &str = include_str!("golden/frames.txt");

#[test]
fn every_frame_has_its_golden_bytes() {
    let lines = golden_lines("device", &from_device()) + &golden_lines("server", &from_server());
    assert_eq!(lines, GOLDEN, "the bytes of a frame changed: that is another version of the protocol");
}

#[test]
fn golden_bytes_read_as_their_frames() {
    let digits = |side: &str, name: &str| {
        let start = format!("{side}: {name}: ");
        unhex(GOLDEN.lines().find_map(|line| line.strip_prefix(&start)).expect("a golden line"))
    };
    for (name, frame) in from_device() {
        assert_eq!(read::<FromDevice>(&digits("device", name)).unwrap(), frame, "{name}");
    }
    for (name, frame) in from_server() {
        assert_eq!(read::<ServerFrame>(&digits("server", name)).unwrap(), frame, "{name}");
    }
}

#[test]
fn the_golden_frames_are_all_frames() {
    // The first byte of an envelope is its field number and wire type 2.
    let tags = |side: &str| {
        let mut tags: Vec<u8> = GOLDEN
            .lines()
            .filter(|line| line.starts_with(side))
            .map(|line| unhex(line.rsplit(' ').next().unwrap())[4] >> 3)
            .collect();
        tags.dedup();
        tags
    };
    assert_eq!(tags("device"), (1..=12).collect::<Vec<u8>>());
    assert_eq!(tags("server"), (1..=13).collect::<Vec<u8>>());
}

#[test]
fn the_next_frame_waits_in_the_buffer() {
    let mut bytes = BytesMut::new();
    for (_, frame) in from_device() {
        write(&frame, &mut bytes);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut stream = &bytes[..];
        let mut reader = FrameReader::default();
        for (name, frame) in from_device() {
            assert_eq!(reader.next::<FromDevice>(&mut stream).await.unwrap(), frame, "{name}");
        }
        assert!(matches!(reader.next::<FromDevice>(&mut stream).await, Err(Unreadable::Ended)));
    });
}

/// INPUT-1: the length alone decides, so that nothing is stored of a frame that is too large.
#[test]
fn an_oversized_length_is_refused_before_its_body() {
    let over = (FRAME_BYTES_MAX as u32 + 1).to_be_bytes();
    assert!(matches!(read::<FromDevice>(&over), Err(Unreadable::Frame(FrameError::Oversized))));
    assert!(matches!(read::<FromDevice>(&u32::MAX.to_be_bytes()), Err(Unreadable::Frame(FrameError::Oversized))));
    // The largest length is acceptable; then its body is missing.
    assert!(matches!(read::<FromDevice>(&(FRAME_BYTES_MAX as u32).to_be_bytes()), Err(Unreadable::Ended)));
}

/// INPUT-1: each breaks one bound and is otherwise a good frame.
#[test]
fn a_frame_outside_its_bounds_is_malformed() {
    let malformed = |what: &str, body: &[u8]| {
        assert_eq!(FromDevice::from_body(body), Err(FrameError::Malformed), "{what}");
    };
    malformed("an envelope without a frame", &[]);
    malformed("an unknown frame", &[0x7a, 0]);
    malformed("a hello without anything", &[0x0a, 0]);
    malformed("a device of 15 bytes", &[&[0x0a, 21, 8, 1, 0x12, 15][..], &[7; 15], &[0x18, 7]].concat());
    assert!(FromDevice::from_body(&[&[0x0a, 22, 8, 1, 0x12, 16][..], &[7; 16], &[0x18, 7]].concat()).is_ok());
    malformed("an unknown platform", &[&[0x0a, 22, 8, 1, 0x12, 16][..], &[7; 16], &[0x18, 8]].concat());
    malformed("a login without attempt", &[0x12, 2, 8, 1]);
    malformed("a logout without attempt", &[0x32, 2, 8, 1]);
    malformed("a confirmation of nothing", &[0x42, 0]);
    malformed("a confirmation for no user id", &[0x42, 6, 0x0a, 4, 0x0a, 2, b'a', b' ']);
    malformed("text that is no UTF-8", &[0x4a, 8, 0x12, 1, b'b', 0x1a, 3, b'x', 0xff, b'y']);

    let login = |user: String| {
        let frame = ClientFrame::Login {
            call: CallId(1),
            attempt: Attempt::default(),
            user,
            ticket: Ticket::from("t"),
            known_ended: None,
        };
        FromDevice::from_body(&frame.to_body())
    };
    // LOGIN-2: a name that is no user id reaches the core, which answers it with a code.
    assert!(login(" ".repeat(USER_TEXT_BYTES_MAX)).is_ok());
    assert_eq!(login(" ".repeat(USER_TEXT_BYTES_MAX + 1)), Err(FrameError::Malformed));

    let message = |bytes| {
        let (call, id) = (CallId(1), SendId::default());
        let frame: FromDevice = ClientFrame::SendMessage { call, id, to: user("bob"), text: "x".repeat(bytes) };
        FromDevice::from_body(&frame.to_body())
    };
    assert!(message(TEXT_BYTES_MAX).is_ok());
    assert_eq!(message(TEXT_BYTES_MAX + 1), Err(FrameError::Malformed));

    let query = |users| {
        let frame: FromDevice = ClientFrame::QueryStatus { call: CallId(1), users: vec![user("bob"); users] };
        FromDevice::from_body(&frame.to_body())
    };
    assert!(query(QUERY_USERS_MAX).is_ok());
    assert_eq!(query(QUERY_USERS_MAX + 1), Err(FrameError::Malformed));
}

#[test]
fn the_sdk_is_as_strict_as_the_server() {
    let malformed = |what: &str, body: &[u8]| {
        assert_eq!(ServerFrame::from_body(body), Err(FrameError::Malformed), "{what}");
    };
    malformed("an envelope without a frame", &[]);
    malformed("a login answer without outcome", &[0x0a, 2, 8, 1]);
    malformed("a code that does not exist", &[0x42, 4, 8, 1, 0x18, 1]);
    malformed("a kick without reason", &[0x32, 7, 0x0a, 5, 0x0a, 1, b'a', 0x10, 1]);
    malformed("a kick by a short name", &[0x32, 12, 0x0a, 5, 0x0a, 1, b'a', 0x10, 1, 0x10, 1, 0x1a, 1, 7]);
    malformed("an error without a kind", &[0x62, 0]);
    malformed("a close for no reason", &[0x6a, 0]);
    malformed("a close until doomsday", &[0x6a, 8, 0x08, 1, 0x10, 0x81, 0xc8, 0xce, 0xb4, 0x0d]);

    let resumed = |number, preview: usize| {
        let line = Conversation { peer: user("bob"), last: MessageId(1), preview: "x".repeat(preview) };
        let outcome = ResumeOutcome::Resumed { conversations: vec![line; number], terms: TERMS, dropped: 0 };
        ServerFrame::from_body(&ServerFrame::ResumeAnswer { attempt: Attempt::default(), outcome }.to_body())
    };
    assert!(resumed(CONVERSATIONS_MAX, PREVIEW_BYTES_MAX).is_ok());
    assert_eq!(resumed(CONVERSATIONS_MAX + 1, 0), Err(FrameError::Malformed));
    assert_eq!(resumed(1, PREVIEW_BYTES_MAX + 1), Err(FrameError::Malformed));

    let spread = |return_spread| {
        let outcome = ResumeOutcome::Resumed {
            conversations: Vec::new(),
            terms: Terms { return_spread, heartbeat: None },
            dropped: 0,
        };
        ServerFrame::from_body(&ServerFrame::ResumeAnswer { attempt: Attempt::default(), outcome }.to_body())
    };
    assert!(spread(RETURN_MAX).is_ok());

    // CONN-11: a server that has nothing to ask for says nothing.
    let silent = ServerFrame::from_body(&[0x12, 6, 0x0a, 2, 8, 1, 0x12, 0]);
    let outcome = ResumeOutcome::Resumed { conversations: Vec::new(), terms: Terms::default(), dropped: 0 };
    assert_eq!(silent, Ok(ServerFrame::ResumeAnswer { attempt: Attempt { start: 1, count: 0 }, outcome }));
    assert_eq!(spread(RETURN_MAX + Duration::from_micros(1)), Err(FrameError::Malformed));
}

/// The bounds of the typed frames keep the largest of each kind within a frame.
#[test]
fn the_largest_frames_fit() {
    let longest = "x".repeat(32);
    let device =
        DeviceStatus { device: PublicName::from_bytes([255; 8]), platform: Platform::Web, state: DeviceState::Dormant };
    let status =
        UserStatus { user: user(&longest), presence: Presence::PushOnline, devices: vec![device; REPORT_DEVICES_MAX] };
    let line = Conversation { peer: user(&longest), last: MessageId(u64::MAX), preview: "x".repeat(PREVIEW_BYTES_MAX) };
    let admission = Admission {
        epoch: Epoch(u64::MAX),
        conversations: vec![line; CONVERSATIONS_MAX],
        terms: Terms { return_spread: RETURN_MAX, heartbeat: Some(Duration::from_secs(30)) },
    };
    let report = StatusReport { users: vec![status; QUERY_USERS_MAX], unknown: Vec::new() };
    let frames = [
        ServerFrame::StatusAnswer { call: CallId(u64::MAX), outcome: Ok(report) },
        ServerFrame::LoginAnswer { call: CallId(u64::MAX), outcome: Ok(admission) },
    ];
    for frame in frames {
        let body = frame.to_body();
        assert!(body.len() <= FRAME_BYTES_MAX, "{} bytes", body.len());
        assert_eq!(ServerFrame::from_body(&body), Ok(frame));
    }
}

fn any_user() -> impl Strategy<Value = UserId> {
    "[a-zA-Z0-9_-]{1,32}".prop_map(|text| text.parse().unwrap())
}

fn any_attempt() -> impl Strategy<Value = Attempt> {
    any::<(u32, u32)>().prop_map(|(start, count)| Attempt { start, count })
}

fn any_session() -> impl Strategy<Value = SessionName> {
    (any_user(), any::<u64>()).prop_map(|(user, epoch)| SessionName { user, epoch: Epoch(epoch) })
}

fn any_ticket() -> impl Strategy<Value = Ticket> {
    ".{0,200}".prop_map(Ticket::from)
}

fn any_code() -> impl Strategy<Value = Code> {
    select(Code::ALL)
}

fn any_name() -> impl Strategy<Value = PublicName> {
    any::<[u8; 8]>().prop_map(PublicName::from_bytes)
}

fn any_conversations() -> impl Strategy<Value = Vec<Conversation>> {
    let line = (any_user(), any::<u64>(), "[a-zé]{0,32}").prop_map(|(peer, last, preview)| Conversation {
        peer,
        last: MessageId(last),
        preview,
    });
    vec(line, 0..5)
}

fn any_admission() -> impl Strategy<Value = Admission> {
    (any::<u64>(), any_conversations(), any_terms()).prop_map(|(epoch, conversations, terms)| Admission {
        epoch: Epoch(epoch),
        conversations,
        terms,
    })
}

fn any_span(longest: Duration) -> impl Strategy<Value = Duration> {
    (0..=u64::try_from(longest.as_micros()).unwrap()).prop_map(Duration::from_micros)
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let heartbeat = prop::option::of((1..1_000_u64).prop_map(Duration::from_secs));
    (any_span(RETURN_MAX), heartbeat).prop_map(|(return_spread, heartbeat)| Terms { return_spread, heartbeat })
}

fn any_refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![any_code().prop_map(Refusal::Code), Just(Refusal::Stale)]
}

fn any_kick() -> impl Strategy<Value = Kick> {
    use KickReason::{Administrator, Gone, OtherPlatform, SamePlatform};
    (any_session(), select(&[SamePlatform, OtherPlatform, Administrator, Gone]), option::of(any_name()))
        .prop_map(|(SessionName { user, epoch }, reason, by)| Kick { user, epoch, reason, by })
}

fn any_report() -> impl Strategy<Value = StatusReport> {
    let state = select(&[DeviceState::Connected, DeviceState::LinkLost, DeviceState::Dormant]);
    let device = (any_name(), select(&Platform::ALL), state).prop_map(|(device, platform, state)| DeviceStatus {
        device,
        platform,
        state,
    });
    let presence = select(&[Presence::Online, Presence::PushOnline, Presence::Offline]);
    let status = (any_user(), presence, vec(device, 0..4)).prop_map(|(user, presence, devices)| UserStatus {
        user,
        presence,
        devices,
    });
    (vec(status, 0..4), vec(any_user(), 0..4)).prop_map(|(users, unknown)| StatusReport { users, unknown })
}

fn call() -> impl Strategy<Value = CallId> {
    any::<u64>().prop_map(CallId)
}

prop_compose! {
    fn any_renewal()(
        call in call(), attempt in any_attempt(), name in any_session(), ticket in any_ticket(),
    ) -> FromDevice {
        ClientFrame::Renew { call, attempt, user: name.user, epoch: name.epoch, ticket }
    }
}

fn any_client_frame() -> impl Strategy<Value = FromDevice> {
    prop_oneof![
        (any::<u32>(), any::<[u8; 16]>(), select(&Platform::ALL)).prop_map(|(version, device, platform)| {
            ClientFrame::Hello { version, device: DeviceId::from_bytes(device), platform }
        }),
        (call(), any_attempt(), ".{0,64}", any_ticket(), option::of(any_session())).prop_map(
            |(call, attempt, user, ticket, known_ended)| ClientFrame::Login {
                call,
                attempt,
                user,
                ticket,
                known_ended
            }
        ),
        any_session().prop_map(|SessionName { user, epoch }| ClientFrame::LoginAcknowledged { user, epoch }),
        (any_attempt(), any_session(), any_ticket(), any::<u64>()).prop_map(|(attempt, name, ticket, received)| {
            ClientFrame::Resume { attempt, user: name.user, epoch: name.epoch, ticket, received }
        }),
        (any_session(), any::<u64>()).prop_map(|(SessionName { user, epoch }, through)| {
            ClientFrame::MessagesReceived { user, epoch, through }
        }),
        any_renewal(),
        (call(), any_attempt()).prop_map(|(call, attempt)| ClientFrame::Logout { call, attempt }),
        Just(ClientFrame::Heartbeat),
        any_session().prop_map(|SessionName { user, epoch }| ClientFrame::KickConfirmed { user, epoch }),
        (call(), any::<[u8; 16]>(), any_user(), ".{0,100}").prop_map(|(call, id, to, text)| {
            ClientFrame::SendMessage { call, id: SendId::from_bytes(id), to, text }
        }),
        (call(), any_user()).prop_map(|(call, user)| ClientFrame::AdminKick { call, user }),
        (call(), vec(any_user(), 0..9)).prop_map(|(call, users)| ClientFrame::QueryStatus { call, users }),
    ]
}

fn any_resume_outcome() -> impl Strategy<Value = ResumeOutcome> {
    prop_oneof![
        (any_conversations(), any_terms(), any::<u64>())
            .prop_map(|(conversations, terms, dropped)| ResumeOutcome::Resumed { conversations, terms, dropped }),
        any_admission().prop_map(ResumeOutcome::LoggedIn),
        any_kick().prop_map(ResumeOutcome::Kicked),
        Just(ResumeOutcome::Expired),
        any_code().prop_map(ResumeOutcome::Refused),
        any_code().prop_map(ResumeOutcome::Unable),
        Just(ResumeOutcome::Stale),
    ]
}

/// A success of `right` or a failure of `wrong`.
fn either<Right: std::fmt::Debug, Wrong: std::fmt::Debug>(
    right: impl Strategy<Value = Right>,
    wrong: impl Strategy<Value = Wrong>,
) -> impl Strategy<Value = Result<Right, Wrong>> {
    proptest::result::maybe_ok(right, wrong)
}

fn any_server_frame() -> impl Strategy<Value = ServerFrame> {
    use FrameError::{Malformed, OutOfPlace, Oversized, Version};
    prop_oneof![
        (call(), either(any_admission(), any_refusal()))
            .prop_map(|(call, outcome)| ServerFrame::LoginAnswer { call, outcome }),
        (any_attempt(), any_resume_outcome())
            .prop_map(|(attempt, outcome)| ServerFrame::ResumeAnswer { attempt, outcome }),
        (call(), either(Just(()), any_refusal()))
            .prop_map(|(call, outcome)| ServerFrame::RenewAnswer { call, outcome }),
        (call(), either(Just(()), any_refusal()))
            .prop_map(|(call, outcome)| ServerFrame::LogoutAnswer { call, outcome }),
        Just(ServerFrame::HeartbeatAnswer),
        any_kick().prop_map(ServerFrame::Kick),
        any_session().prop_map(ServerFrame::Expired),
        (call(), either(any::<u64>().prop_map(MessageId), any_code()))
            .prop_map(|(call, outcome)| ServerFrame::SendAnswer { call, outcome }),
        (any::<u64>(), any::<u64>(), any_user(), any_user(), ".{0,100}").prop_map(|(place, id, from, to, text)| {
            ServerFrame::Message { place, message: Message { id: MessageId(id), from, to, text } }
        }),
        (call(), either(Just(()), any_code()))
            .prop_map(|(call, outcome)| ServerFrame::AdminKickAnswer { call, outcome }),
        (call(), either(any_report(), any_code()))
            .prop_map(|(call, outcome)| ServerFrame::StatusAnswer { call, outcome }),
        select(&[Malformed, Oversized, OutOfPlace, Version]).prop_map(ServerFrame::Error),
        (select(&[Closing::Stopping, Closing::Full]), any_span(RETURN_MAX), any_span(RETURN_MAX))
            .prop_map(|(why, after, spread)| ServerFrame::Closing { why, come_back: Return { after, spread } }),
    ]
}

proptest! {
    #![proptest_config(fixed_seed::cases(256))]

    #[test]
    fn a_frame_from_a_device_arrives_as_it_was(frame in any_client_frame()) {
        let mut bytes = BytesMut::new();
        write(&frame, &mut bytes);
        prop_assert_eq!(read::<FromDevice>(&bytes).unwrap(), frame);
    }

    #[test]
    fn a_frame_from_the_server_arrives_as_it_was(frame in any_server_frame()) {
        let mut bytes = BytesMut::new();
        write(&frame, &mut bytes);
        prop_assert_eq!(read::<ServerFrame>(&bytes).unwrap(), frame);
    }

    /// INPUT-1: whatever arrives is a frame or an error, never a panic.
    #[test]
    fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..300)) {
        for body in [&bytes[..], bytes.get(4..).unwrap_or_default()] {
            if let Ok(frame) = FromDevice::from_body(body) {
                prop_assert_eq!(FromDevice::from_body(&frame.to_body()), Ok(frame));
            }
            if let Ok(frame) = ServerFrame::from_body(body) {
                prop_assert_eq!(ServerFrame::from_body(&frame.to_body()), Ok(frame));
            }
        }
        prop_assert!(read::<FromDevice>(&bytes).is_err() || bytes.len() > 4);
    }

    /// The same near good frames: a few bytes changed, the end cut.
    #[test]
    fn mutated_frames_are_read_without_panic(
        client in any_client_frame(),
        server in any_server_frame(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mutate = |mut body: Vec<u8>| {
            for (at, byte) in &changes {
                if !body.is_empty() {
                    let at = at.index(body.len());
                    body[at] = *byte;
                }
            }
            body.truncate(cut.index(body.len() + 1).max(body.len() / 2));
            body
        };
        let body = mutate(client.to_body());
        if let Ok(frame) = FromDevice::from_body(&body) {
            prop_assert_eq!(FromDevice::from_body(&frame.to_body()), Ok(frame));
        }
        let body = mutate(server.to_body());
        if let Ok(frame) = ServerFrame::from_body(&body) {
            prop_assert_eq!(ServerFrame::from_body(&frame.to_body()), Ok(frame));
        }
    }
}
