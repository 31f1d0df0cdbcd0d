//! Whose events, answers and lists an application gets to see.

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::check::reading::succeeded;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Effect, Event, ListIndex, Outcome, Request, Told, UserIndex, What, Write};
use gatecrash::client::Status;

const SWITCH: RuleId = rule("SWITCH-2");
const LOGOUT: RuleId = rule("LOGOUT-1");
const UNINIT: RuleId = rule("INIT-3");
const BEFORE: RuleId = rule("API-1");
const CACHE: RuleId = rule("API-3");

#[derive(Default)]
pub(super) struct OneAccount {
    devices: Vec<Device>,
}

#[derive(Clone, Default)]
struct Device {
    asked: Option<UserIndex>,
    /// Whose SDK it is: from a login on.
    account: Option<UserIndex>,
    /// Whose list may be shown.
    viewer: Option<UserIndex>,
    /// A logout or uninit was called since.
    is_mute: bool,
    /// `uninit` was called, and has returned.
    is_ending: bool,
    is_uninitialised: bool,
    /// The last call of `init`.
    initialised_by: u32,
    /// Each user's list, as the process read it at its start, or the SDK last wrote it.
    lists: Vec<(UserIndex, Option<ListIndex>)>,
    /// The same on the disk, and what is on its way there.
    disk: Vec<(UserIndex, Option<ListIndex>)>,
    writing: Vec<(u32, UserIndex, Option<ListIndex>)>,
    /// Users whose list a death may have torn from the disk.
    unsure: Vec<UserIndex>,
    /// Whether the process has called anything yet. Until then it has read nothing.
    has_called: bool,
}

fn set(lists: &mut Vec<(UserIndex, Option<ListIndex>)>, user: UserIndex, list: Option<ListIndex>) {
    match lists.iter_mut().find(|(one, _)| *one == user) {
        Some(entry) => entry.1 = list,
        None => lists.push((user, list)),
    }
}

impl Device {
    fn list(&self, user: UserIndex) -> Option<ListIndex> {
        self.lists.iter().find(|(one, _)| *one == user)?.1
    }

    fn initialised_again(&mut self) {
        let Device { lists, disk, writing, unsure, has_called, .. } = std::mem::take(self);
        *self = Device { lists, disk, writing, unsure, has_called, ..Device::default() };
    }

    /// The disk is a copy of that device's from now on.
    fn copied(&mut self, first: &Device) {
        let unsure = [&self.unsure, &first.unsure].into_iter().flatten().copied();
        let writing = [&self.writing, &first.writing].into_iter().flatten().map(|&(_, user, _)| user);
        (self.disk, self.unsure) = (first.disk.clone(), unsure.chain(writing).collect());
        if !self.has_called {
            self.lists = self.disk.clone();
        }
    }

    fn started(&mut self) {
        self.unsure.extend(self.writing.iter().map(|&(_, user, _)| user));
        *self = Device {
            lists: self.disk.clone(),
            disk: self.disk.clone(),
            unsure: self.unsure.clone(),
            ..Device::default()
        };
    }
}

impl OneAccount {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    fn told(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, report: &mut Report) {
        let What::Told { event: told, user, .. } = event.what else { return };
        let name = scene.device(on);
        let device = self.device(on);
        let word = told.word();
        if device.is_uninitialised {
            return report.event(UNINIT, event, format!("{name} was told {word} after uninit had returned"));
        }
        if device.is_mute {
            return report.event(LOGOUT, event, format!("{name} was told {word} after the logout"));
        }
        let account = device.account;
        let is_theirs = match told {
            Told::Message { from, to, .. } => account == Some(from) || account == Some(to),
            Told::Connecting
            | Told::ConnectSuccess
            | Told::ConnectFailed { .. }
            | Told::KickedOffline { .. }
            | Told::UserSigExpired
            | Told::MessagesDropped { .. } => user.is_none() || user == account,
        };
        if !is_theirs {
            let (whose, account) = (scene.maybe_user(user), scene.maybe_user(account));
            report.event(SWITCH, event, format!("{name}, now {account}'s, was told {word} of {whose}"));
        }
    }

    fn answered(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, report: &mut Report) {
        let What::Answered { kind: Some(kind), user, outcome, .. } = event.what else { return };
        if !succeeded(outcome) {
            return;
        }
        let name = scene.device(on);
        let device = self.device(on);
        match kind {
            CallKind::Send | CallKind::Kick | CallKind::Query => {
                if device.is_mute {
                    report.event(LOGOUT, event, format!("{name} got the answer of its {kind} after the logout"));
                } else if user != device.account {
                    let (whose, account) = (scene.maybe_user(user), scene.maybe_user(device.account));
                    let text = format!("{name}, now {account}'s, got the answer of {whose}'s {kind}");
                    report.event(SWITCH, event, text);
                }
            }
            CallKind::Conversations => {
                let Outcome::Conversations { conversations: shown } = outcome else { return };
                let Some(viewer) = device.viewer else {
                    let text = format!("{name} shows conversations, and nobody is or was logging in");
                    return report.event(BEFORE, event, text);
                };
                // Also where there is nothing on it: whose an empty list is nobody can see.
                if user.is_some_and(|asked| asked != viewer) {
                    let (whose, account) = (scene.maybe_user(user), scene.user(viewer));
                    let text = format!("{name}, now {account}'s, shows conversations that {whose}'s call asked for");
                    return report.event(SWITCH, event, text);
                }
                if device.list(viewer) != shown && !device.unsure.contains(&viewer) {
                    let other = device.lists.iter().find(|(user, list)| *user != viewer && *list == shown);
                    let whose = other.map_or("another list".to_owned(), |(user, _)| format!("{}'s", scene.user(*user)));
                    let text = format!("{name} shows {whose} in the place of {}'s conversations", scene.user(viewer));
                    report.event(if other.is_some() { SWITCH } else { CACHE }, event, text);
                }
            }
            CallKind::Login | CallKind::Logout | CallKind::Init | CallKind::Uninit => {}
        }
    }
}

impl Property for OneAccount {
    sentence!(
        Always,
        "nothing of another account reaches the application, and nothing at all after logout and uninit",
        "SWITCH-2",
        "LOGOUT-1",
        "INIT-3",
        "API-1",
        "API-3"
    );
    watches!("effect", "called", "uninit_returned", "status", "store_asked", "stored", "told", "answered");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Effect { effect: Effect::ProcessUp { device } | Effect::ProcessDead { device } } => {
                self.device(device).started();
            }
            What::Effect { effect: Effect::DiskEmpty { device } | Effect::CachesDamaged { device } } => {
                let device = self.device(device);
                device.disk.clear();
                device.writing.clear();
            }
            What::Effect { effect: Effect::DiskCopied { device, onto } } => {
                let first = self.device(device).clone();
                self.device(onto).copied(&first);
            }
            _ => {}
        }
        let Some((on, sdk)) = scene.actor else { return };
        match event.what {
            What::Called { call, request } => {
                let device = self.device(on);
                device.has_called = true;
                match request {
                    Request::Login { user, .. } => device.asked = Some(user),
                    Request::Logout | Request::Uninit
                        if sdk.is_initialised && (sdk.status != Status::Logout || request == Request::Uninit) =>
                    {
                        (device.is_mute, device.viewer) = (true, None);
                        device.is_ending |= request == Request::Uninit;
                    }
                    // The process keeps what it read and wrote through all lives of its SDK.
                    Request::Init { .. } => {
                        if device.is_ending {
                            device.initialised_again();
                        }
                        device.initialised_by = call;
                    }
                    _ => {}
                }
            }
            // The application may have initialised it anew while that was on its way.
            What::UninitReturned { call } => {
                let device = self.device(on);
                device.is_uninitialised = device.initialised_by < call;
            }
            What::Status { status: Status::Logining, .. } => {
                let device = self.device(on);
                (device.account, device.viewer, device.is_mute) = (device.asked, device.asked, false);
            }
            What::StoreAsked { change, write: Write::Conversations { user, conversations } } => {
                let device = self.device(on);
                set(&mut device.lists, user, conversations);
                device.unsure.retain(|&unsure| unsure != user);
                device.writing.push((change, user, conversations));
            }
            What::Stored { change } => {
                let device = self.device(on);
                let disk = &mut device.disk;
                device.writing.retain(|&(number, user, list)| {
                    let is_done = number <= change;
                    if is_done {
                        set(disk, user, list);
                    }
                    !is_done
                });
            }
            What::Told { .. } => self.told(scene, event, on, report),
            What::Answered { .. } => self.answered(scene, event, on, report),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    fn alice() -> Story {
        Story::of(OneAccount::default()).logs_in(PHONE, ALICE, 1)
    }

    fn switch() -> Story {
        let login = Request::Login { user: BOB.into(), ticket: ticket(TICKET) };
        let story = alice().calls(PHONE, 201, Request::Send { to: BOB.into(), text: text(0), id: None });
        let story = story.calls(PHONE, 202, login).on(PHONE, status(Status::Logout, None));
        story.on(PHONE, status(Status::Logining, None))
    }

    /// SWITCH-2
    #[test]
    fn what_is_left_of_the_previous_account_is_seen() {
        let end = failed(gatecrash::code::Code::NotLoggedIn);
        let sent = Outcome::Message { message: 7 };
        switch()
            .on(PHONE, answered(201, CallKind::Send, Some(ALICE), end))
            .told(PHONE, Told::Connecting, BOB, 0)
            .holds();
        switch().on(PHONE, answered(201, CallKind::Send, Some(ALICE), sent)).breaks("SWITCH-2");
        switch().told(PHONE, kicked(), ALICE, 1).breaks("SWITCH-2");
        let empty = Outcome::Conversations { conversations: None };
        switch().on(PHONE, answered(200, CallKind::Conversations, Some(ALICE), empty)).breaks("SWITCH-2");
        switch().on(PHONE, answered(203, CallKind::Conversations, Some(BOB), empty)).holds();
        let message = |from: U, to: U| Told::Message { message: 7, from: from.into(), to: to.into(), text: text(0) };
        switch().told(PHONE, message(ALICE, BOB), BOB, 0).holds();
        switch().told(PHONE, message(ALICE, ALICE), BOB, 0).breaks("SWITCH-2");
    }

    /// API-1, API-3: the list shown is the one kept for the user, and none after a logout.
    #[test]
    fn another_users_list_is_seen() {
        let write = |change, user: U, conversations| What::StoreAsked {
            change,
            write: Write::Conversations { user: user.into(), conversations },
        };
        let shows = |story: Story, list| {
            let shown = Outcome::Conversations { conversations: list };
            story
                .calls(PHONE, 300, Request::Conversations)
                .on(PHONE, answered(300, CallKind::Conversations, None, shown))
        };
        let [one, other] = [0, 1].map(|list| Some(ListIndex::new(list)));
        let kept = || alice().on(PHONE, write(1, ALICE, one)).on(PHONE, write(2, BOB, other));
        shows(kept(), one).holds();
        shows(kept(), other).breaks("SWITCH-2");
        shows(kept(), None).breaks("API-3");
        shows(kept().calls(PHONE, 299, Request::Logout), one).breaks("API-1");
    }

    /// LOGOUT-1, INIT-3
    #[test]
    fn an_event_after_the_end_is_seen() {
        alice().calls(PHONE, 201, Request::Logout).told(PHONE, Told::Connecting, ALICE, 1).breaks("LOGOUT-1");
        let uninit = alice().calls(PHONE, 201, Request::Uninit).on(PHONE, What::UninitReturned { call: 201 });
        uninit.told(PHONE, Told::Connecting, ALICE, 1).breaks("INIT-3");
    }
}
