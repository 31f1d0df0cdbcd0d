//! A site's host: carries out what the script has for the devices there.
//!
//! It is done on that host, so that what is dropped and woken is the host's.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::command::{Command, Inbox};
use super::place::Shared;
use super::process::Processes;
use super::software::Software;
use super::{script, stranger};
use crate::trace::Effect;

/// The software of a site's host.
pub(super) async fn site<S: Software>(
    software: Rc<S>,
    shared: Arc<Shared>,
    inbox: Arc<Inbox>,
    processes: Rc<RefCell<Processes<S>>>,
) -> turmoil::Result {
    loop {
        while let Some((device, command)) = inbox.pop() {
            carry_out(&software, &shared, &mut processes.borrow_mut(), device, command);
        }
        inbox.notified().await;
    }
}

fn carry_out<S: Software>(
    software: &Rc<S>,
    shared: &Arc<Shared>,
    processes: &mut Processes<S>,
    device: usize,
    command: Command,
) {
    let process = processes.get_mut(&device);
    match (command, process) {
        (Command::Fault(fault), _) => script::befall(software, shared, processes, device, &fault),
        (Command::Heal, Some(process)) => {
            if process.is_frozen() {
                shared.recorder.effect(shared.now(), Effect::Woken { device: shared.index(device) });
                process.wake();
            } else {
                process.look_at_the_link();
            }
        }
        (Command::Call(call), Some(process)) => process.call(&call),
        (Command::Arm(event, call), Some(process)) => process.arm(event, call),
        (Command::Stranger(conduct), _) => {
            tokio::task::spawn_local(stranger::visit(Arc::clone(shared), device, conduct));
        }
        (Command::Call(_) | Command::Arm(..), None) => {
            shared.recorder.effect(shared.now(), Effect::Skipped { device: shared.index(device) });
        }
        (Command::Heal, None) => {}
    }
}
