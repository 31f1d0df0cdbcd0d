//! What the SDK's calls come to while the device's record cannot be written (ATT-5).
//!
//! Whether it can be is not worked out: the run says so.

use gatecrash::code::{Code, Reason};
use gatecrash::time::Instant;

use super::state::{Account, Answer, Call, Fate, Kind, Line, Look, Sdk, Stage};
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, Write};

const RECORD: RuleId = rule("ATT-5");

const UNWRITTEN: Answer = Answer::Code(Code::StorageFailed);

impl Sdk {
    /// The SDK wants its device's disk written.
    pub(super) fn write_asked(&mut self, change: u32, write: Write) {
        if let Write::Installation { .. } = write {
            self.written = change;
        }
    }

    /// A login that waited for the record has not been kept by it past an instant, so it is sent, seen to leave or not.
    pub(super) fn time_goes_on(&mut self, at: Instant) {
        let has_waited = |line: &mut Line| matches!(line.stage, Stage::Waits { since, .. } if since < at);
        if self.written <= self.stored && self.line.as_mut().is_some_and(has_waited) {
            self.login_is_sent();
        }
    }

    fn login_is_sent(&mut self) {
        let Some(line) = self.line.as_mut().filter(|line| matches!(line.stage, Stage::Waits { .. })) else { return };
        line.stage = Stage::Asked;
        if let Account::LoggingIn(_, login) = self.account {
            self.calls.iter_mut().filter(|call| call.number == login).for_each(|call| call.is_sent = true);
        }
    }

    /// A frame left the device.
    pub(super) fn left(&mut self, frame: &ClientFrame) {
        if let ClientFrame::Login { .. } = frame {
            self.login_is_sent();
        }
        if let ClientFrame::Renew { call, .. } = *frame {
            self.unsettled.push(call);
        }
        let (ClientFrame::Login { call: number, .. }
        | ClientFrame::Renew { call: number, .. }
        | ClientFrame::Logout { call: number, .. }
        | ClientFrame::Send { call: number, .. }
        | ClientFrame::AdminKick { call: number, .. }
        | ClientFrame::Query { call: number, .. }) = *frame
        else {
            return;
        };
        self.calls.iter_mut().filter(|call| call.number == number).for_each(|call| call.has_left = true);
    }

    /// The record cannot be written: what has not left ends.
    pub(super) fn record_failed(&mut self, look: &Look<'_>) {
        let has_left = |calls: &[Call], number| calls.iter().any(|call: &Call| call.number == number && call.has_left);
        let needs_record = |kind| matches!(kind, Kind::Login | Kind::Logout);
        let is_up = self.is_up();
        for call in &mut self.calls {
            match &mut call.fate {
                // What waits for a link waits for the record; what has one needs nothing of it.
                Fate::Open if !call.has_left && (needs_record(call.kind) || call.kind == Kind::Renewal && !is_up) => {
                    call.fate = Fate::Settled(RECORD, look.at, vec![UNWRITTEN]);
                }
                // LOGOUT-2: it may be that its end is not on the disk, which is told with it.
                Fate::Settled(_, _, answers) if call.kind == Kind::Logout => answers.push(UNWRITTEN),
                Fate::Open | Fate::Settled(..) | Fate::Any => {}
            }
        }
        match self.account {
            Account::LoggingIn(_, login) if !has_left(&self.calls, login) => self.set_nobody(Reason::LoginFailed),
            Account::LoggingOut(logout) if !has_left(&self.calls, logout) => self.set_account(Account::Nobody),
            Account::LoggingIn(..) | Account::LoggingOut(_) | Account::LoggedIn(_) | Account::Nobody => {}
        }
    }

    /// Whether the result of a logout may have waited for the disk until its time was up.
    pub(super) fn may_still_wait(&self, look: &Look<'_>, call: &Call) -> bool {
        call.kind == Kind::Logout && look.at >= call.deadline
    }
}
