//! The colours of lines, for terminals.
//!
//! Knows no terminal: whoever prints knows whether there is one that shows them.

use anstyle::{AnsiColor, Color, Style};

use crate::trace::{Actor, Event, What};

/// Whether lines have colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    /// As files, pipes and snapshots have them.
    #[default]
    Plain,
    /// With escape codes.
    Colours,
}

/// Those of devices, by their place in the cast: neighbours differ.
const DEVICES: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::BrightBlue, AnsiColor::BrightCyan];

impl Paint {
    fn style(self, style: Style) -> Style {
        match self {
            Paint::Plain => Style::new(),
            Paint::Colours => style,
        }
    }

    fn colour(self, colour: AnsiColor) -> Style {
        self.style(Style::new().fg_color(Some(Color::Ansi(colour))))
    }

    /// Of who acts.
    pub(super) fn actor(self, actor: Actor) -> Style {
        match actor {
            Actor::World => self.colour(AnsiColor::Yellow),
            Actor::Server => self.style(Style::new().bold()),
            Actor::Device(device) => self.colour(DEVICES[device.index() % DEVICES.len()]),
        }
    }

    /// Of what happens.
    pub(super) fn what(self, event: &Event) -> Style {
        match event.what {
            What::Fault { .. } | What::Effect { .. } | What::Stranger { .. } => self.colour(AnsiColor::Yellow),
            _ => Style::new(),
        }
    }

    /// Of what is beside the matter: times, and what drivers log.
    pub(super) fn faint(self) -> Style {
        self.style(Style::new().dimmed())
    }

    /// Of what never arrived, and of what marks the line in question.
    pub fn alarm(self) -> Style {
        self.style(Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red))))
    }
}
