//! What is asked of the books: what a user may be shown as at some instant, and what they must be.

use gatecrash::policy::Platform;

use super::{At, Held, May, Reach, is_busy};
use crate::history::Cast;
use crate::history::event::{Actor, User};
use crate::judge::device::Device;
use crate::judge::standing::Life;

impl Reach {
    /// What the user may be, for all that is known.
    pub(in crate::judge) fn may(&self, devices: &[Device], cast: &Cast, at: At) -> May {
        let mut may = May { be_online: false, be_reached: false };
        if !self.is_whole || self.are_copied {
            return May { be_online: true, be_reached: true };
        }
        for (&actor, held) in self.users.get(&at.user).iter().flat_map(|of| &of.held) {
            let Some(device) = devices.get(actor.0 as usize) else { continue };
            if !self.may_live(held, at) || at.is_settled && self.has_left(actor, device, held) {
                continue;
            }
            // Since when the server has heard nothing for this session, as far as the application knows.
            let trouble = self.holders[actor.0 as usize].trouble;
            // Where the way back alone is cut, the server goes on to hear it.
            let may_be_heard = is_busy(device, at.user) && device.process != Life::Dead && !device.is_suspended;
            let silent = (!may_be_heard).then(|| trouble.max(held.busy));
            let over = |span: Option<u64>, by: u64| {
                silent.zip(span).is_some_and(|(silent, span)| silent.saturating_add(span) <= by)
            };
            let silence = self.limits.silence;
            may.be_online |= !over(silence, at.from);
            let push = self.limits.push.zip(silence).map(|(push, silence)| push.saturating_add(silence));
            let is_late = self.limits.wall.is_some() && over(push, self.served(at));
            may.be_reached |= is_mobile(device, cast) != Some(false) && !is_late;
        }
        may
    }

    /// A device that was connected as the user all the time.
    pub(in crate::judge) fn connected(&self, devices: &[Device], at: At) -> Option<Actor> {
        let mut all = self.users.get(&at.user).into_iter().flat_map(|of| of.held.keys());
        let is_connected = |actor: Actor| {
            let (device, holder) = (devices.get(actor.0 as usize)?, &self.holders[actor.0 as usize]);
            let session = device.session().filter(|session| session.user == at.user)?;
            let since = holder.connected?.max(holder.trouble).max(session.since.saturating_add(self.limits.skew));
            let is_in_reach = device.reaches.is_some() && !device.is_offline && holder.trouble < holder.connected?;
            (is_in_reach && since < at.from && !self.are_copied).then_some(())
        };
        all.find(|&&actor| is_connected(actor).is_some()).copied()
    }

    /// A mobile device whose session had certainly not ended, and that push messages reached if it was not connected.
    pub(in crate::judge) fn reached(&self, devices: &[Device], cast: &Cast, at: At) -> Option<Actor> {
        let of = self.users.get(&at.user)?;
        let is_reached = |actor: Actor, held: &Held| {
            let device = devices.get(actor.0 as usize)?;
            let (since, ticket) = held.accepted.filter(|_| held.is_sure && held.ended.is_none())?;
            let until = self.tickets.get(&ticket?)?;
            let lasts = self.second(at.to.saturating_add(self.limits.under_way))? <= *until;
            let is_near = at.to.saturating_add(self.limits.under_way) < since.saturating_add(self.limits.push?);
            (lasts && is_near && since <= at.from && is_mobile(device, cast)?).then_some(())
        };
        let is_sure = self.limits.only_logins && !self.are_copied;
        let others = |actor: Actor| of.held.iter().all(|(&other, held)| other == actor || !held.is_open);
        let mut all = of.held.iter().filter(|_| is_sure);
        all.find(|&(&actor, held)| others(actor) && is_reached(actor, held).is_some()).map(|(&actor, _)| actor)
    }

    /// Whether there was certainly such an account by then.
    pub(in crate::judge) fn is_account(&self, user: User, by: u64) -> bool {
        self.users.get(&user).and_then(|of| of.known).is_some_and(|known| known < by)
    }

    fn may_live(&self, held: &Held, at: At) -> bool {
        if held.first > at.to.saturating_add(self.limits.skew) {
            return false;
        }
        let until = held.accepted.and_then(|(_, ticket)| self.tickets.get(&ticket?));
        let is_over = until.zip(self.second(self.served(at))).is_some_and(|(&until, now)| now > until);
        let has_ended = held.ended.is_some_and(|ended| ended <= at.from);
        held.is_lost || !has_ended && (!is_over || held.is_open)
    }

    /// Whether the device has had all it takes to tell the server that it has left: at rest that is told. No server has
    /// started since it was last taken that might not speak its version (VERSION-1).
    fn has_left(&self, actor: Actor, device: &Device, held: &Held) -> bool {
        let runs = device.process == Life::Up && device.init != Some(false) && device.reaches.is_some();
        let is_same_server = self.is_there() && self.away <= self.holders[actor.0 as usize].taken;
        held.has_left && !held.is_lost && runs && is_same_server
    }

    /// Since when what is told at an instant may have been so: a server that was away tells it when it is back.
    pub(in crate::judge) fn told_since(&self, at: u64) -> u64 {
        let late = self.limits.under_way;
        let is_back = self.is_there() && self.away.saturating_add(late) <= at;
        let since = if is_back { at } else { self.away_since.min(at) };
        since.saturating_sub(late)
    }

    /// Until when the server has certainly done what a clock says, as one that is away does not.
    fn served(&self, at: At) -> u64 {
        if at.is_settled {
            return at.from.saturating_sub(self.limits.under_way);
        }
        if self.served.saturating_add(self.limits.under_way) <= at.from { self.served } else { 0 }
    }

    /// Whether somebody can reach the server, as far as anything is said of that.
    fn is_there(&self) -> bool {
        self.away == 0 || self.linked > 0
    }

    /// The second of the wall clock at an instant.
    fn second(&self, at: u64) -> Option<u64> {
        Some(self.limits.wall?.saturating_add(at) / 1_000_000)
    }
}

/// Whether push messages reach it, where its platform is one that is known.
fn is_mobile(device: &Device, cast: &Cast) -> Option<bool> {
    let name = cast.platforms.name(device.platform?.0);
    Platform::ALL.into_iter().find(|platform| platform.word() == name).map(Platform::is_mobile)
}
