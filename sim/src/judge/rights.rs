//! Administrative calls are an administrator's.

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use crate::history::event::{Event, Outcome, Request, What};
use crate::history::{Channel, Channels};

/// See the module.
pub(super) struct Rights;

const NAME: &str = "an administrative call succeeds for administrators only";

const RIGHTS: Rule = Rule::at("ADMIN-3");

/// What anybody else is told.
const NOT_AN_ADMINISTRATOR: u32 = 60010;

impl Outside for Rights {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[RIGHTS]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls])
    }

    fn asked_when(&self) -> &'static str {
        "an administrative call succeeds, or is refused to somebody who is never an administrator, and the first line says who is"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::Answered { outcome, .. } = event.what else { return };
        let (Some(open), Some(administrators)) = (scene.open, &scene.head.promise.administrators) else { return };
        let (Request::Kick { .. } | Request::Query, Some(session)) = (open.request, open.session) else { return };
        // Who is refused may have been an administrator at another time only.
        let may = administrators.contains(scene.user(session.user));
        let holds = match outcome {
            Outcome::Done { .. } => may,
            Outcome::Failed { code: Some(NOT_AN_ADMINISTRATOR) } if scene.head.codes && !may => true,
            Outcome::Failed { .. } | Outcome::Unknown => return,
        };
        report.check(RIGHTS, holds, || {
            let text = format!(
                "{} of {} was answered ok, who is never an administrator",
                open.request.kind().word(),
                scene.user(session.user)
            );
            Found::at(NAME, scene, event, Some(open.line), text)
        });
    }
}
