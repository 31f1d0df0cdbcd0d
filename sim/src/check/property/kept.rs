//! What a device makes of the lists and messages that come: its own list of conversations, as it keeps and shows it (API-2).
//!
//! Holds what is kept against what came. That what came is right is `lists`'; whose list is shown is `account`'s.

use crate::check::grown::grown;
use crate::scenario::numbers;
use crate::trace::{Cast, DeviceIndex, Effect, List, ListIndex, TextIndex, UserIndex, Write};

/// How many lines that a device may enter are remembered.
const ENTERED_MAX: usize = 32;

/// The lists that all devices keep.
#[derive(Default)]
pub(super) struct Kept {
    devices: Vec<Device>,
}

#[derive(Clone, Default)]
struct Device {
    /// Of each user, the list kept; none where nobody can tell.
    lists: Vec<(UserIndex, Option<Lines>)>,
    /// What came, and is to be in the list by the next that happens.
    came: Option<(UserIndex, Came)>,
    /// What may be entered.
    entered: Vec<Line>,
    /// Whether the lists of a process before are to be read.
    is_blurred: bool,
}

/// With whom, the last message, and of its text the beginning at least.
type Line = (UserIndex, u32, TextIndex);

type Lines = Vec<Line>;

#[derive(Clone)]
enum Came {
    List(Lines),
    Message(Line),
}

impl Came {
    /// Whether the list shows it.
    fn is_in(&self, cast: &Cast, list: &[Line]) -> bool {
        match self {
            Came::List(came) => {
                came.len() == list.len() && came.iter().zip(list).all(|(one, other)| is_same(cast, one, other))
            }
            Came::Message(message) => {
                list.iter().any(|line| line.0 == message.0 && (line.1 > message.1 || is_same(cast, line, message)))
            }
        }
    }
}

fn is_same(cast: &Cast, one: &Line, other: &Line) -> bool {
    let preview = |text| numbers::preview(cast.text(text));
    (one.0, one.1) == (other.0, other.1) && (one.2 == other.2 || preview(one.2) == preview(other.2))
}

fn lines(cast: &Cast, list: Option<ListIndex>) -> Lines {
    match list.map(|list| cast.list(list)) {
        Some(List::Conversations(lines)) => lines.iter().map(|line| (line.peer, line.last, line.preview)).collect(),
        Some(List::Devices(_) | List::Users(_) | List::Report(_)) | None => Lines::new(),
    }
}

impl Kept {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    /// What befell a process or a disk: what a new process reads is learnt from what it writes first.
    pub(super) fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::ProcessDead { device }
            | Effect::ProcessUp { device }
            | Effect::DiskEmpty { device }
            | Effect::CachesDamaged { device }
            | Effect::DiskCopied { onto: device, .. } => {
                *self.device(device) = Device { is_blurred: true, ..Device::default() }
            }
            _ => {}
        }
    }

    /// A list came with the answer to a login or resume of this user.
    pub(super) fn list_came(&mut self, cast: &Cast, device: DeviceIndex, user: UserIndex, list: Option<ListIndex>) {
        self.device(device).came = Some((user, Came::List(lines(cast, list))));
    }

    /// A message came, or one's own was accepted: in this user's list it is the last with its peer, or was.
    pub(super) fn message_came(&mut self, device: DeviceIndex, user: UserIndex, line: Line, must: bool) {
        let device = self.device(device);
        if device.entered.len() >= ENTERED_MAX {
            device.entered.remove(0);
        }
        device.entered.push(line);
        if must {
            device.came = Some((user, Came::Message(line)));
        }
    }

    /// The device keeps another list. Whose it is, if there is a line in it that nobody brought.
    pub(super) fn asked(&mut self, cast: &Cast, device: DeviceIndex, write: &Write) -> Option<UserIndex> {
        let &Write::Conversations { user, conversations } = write else { return None };
        let device = self.device(device);
        let list = lines(cast, conversations);
        let came: &[Line] = match &device.came {
            Some((of, Came::List(came))) if *of == user => came,
            _ => &[],
        };
        let place = device.lists.iter().position(|(of, _)| *of == user);
        let before = place.and_then(|place| device.lists[place].1.clone());
        let is_known = before.is_some() || !device.is_blurred;
        let before = before.unwrap_or_default();
        let is_brought =
            |line: &Line| [came, &before, &device.entered].into_iter().flatten().any(|one| is_same(cast, one, line));
        let is_strange = is_known && !list.iter().all(is_brought);
        match place {
            Some(place) => device.lists[place].1 = Some(list),
            None => device.lists.push((user, Some(list))),
        }
        is_strange.then_some(user)
    }

    /// Something else happens to the device. Whose list does not show what came, if one does not.
    pub(super) fn goes_on(&mut self, cast: &Cast, device: DeviceIndex) -> Option<UserIndex> {
        let device = self.device(device);
        let (user, came) = device.came.take()?;
        let kept = device.lists.iter().find(|(of, _)| *of == user).and_then(|(_, list)| list.as_ref());
        let is_shown = match kept {
            Some(list) => came.is_in(cast, list),
            // What a process before kept may be just what came; and no list is an empty one.
            None => device.is_blurred || matches!(&came, Came::List(came) if came.is_empty()),
        };
        if let (None, Came::List(came)) = (kept, came) {
            device.lists.push((user, Some(came)));
        }
        (!is_shown).then_some(user)
    }
}
