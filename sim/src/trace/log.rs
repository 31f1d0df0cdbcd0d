//! The drivers' logs, caught with the simulated time and the device they come from.
//!
//! Prints nothing: `gatecrash replay --log` merges them into the trace's lines. They are no part of
//! the trace, and no property reads them.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use gatecrash::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// How many lines are kept: a run that logs more has lost its reader. The rest is counted.
pub const LINES_MAX: usize = 1_000_000;

thread_local! {
    static CURRENT: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// One line that a driver logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When, in simulated time.
    pub at: Instant,
    /// How important it is.
    pub level: Level,
    /// On which device or host; empty when nobody said.
    pub who: String,
    /// In which module.
    pub target: String,
    /// The message and its fields.
    pub text: String,
}

/// What was logged in a run. A handle: give [`Log::layer`] to a subscriber and keep this one.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Caught>>);

#[derive(Debug, Default)]
struct Caught {
    lines: Vec<LogLine>,
    dropped: u64,
}

impl Log {
    /// A layer that catches everything the subscriber lets through, stamped by `clock`.
    pub fn layer<Clock>(&self, clock: Clock) -> LogLayer<Clock>
    where
        Clock: Fn() -> Instant + Send + Sync + 'static,
    {
        LogLayer { log: self.clone(), clock }
    }

    /// The lines so far, in the order in which they were logged.
    pub fn lines(&self) -> Vec<LogLine> {
        self.0.lock().expect("logging does not panic").lines.clone()
    }

    /// How many lines beyond [`LINES_MAX`] were not kept.
    pub fn dropped(&self) -> u64 {
        self.0.lock().expect("logging does not panic").dropped
    }

    fn push(&self, line: LogLine) {
        let mut caught = self.0.lock().expect("logging does not panic");
        if caught.lines.len() < LINES_MAX {
            caught.lines.push(line);
        } else {
            caught.dropped += 1;
        }
    }
}

/// Until the guard is dropped, what this thread logs comes from `who`. A world holds one while it
/// polls a device or the server.
#[must_use = "the name holds until the guard is dropped"]
pub fn enter(who: &Arc<str>) -> Entered {
    Entered { before: CURRENT.with_borrow_mut(|current| current.replace(Arc::clone(who))) }
}

/// See [`enter`].
#[derive(Debug)]
pub struct Entered {
    before: Option<Arc<str>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// See [`Log::layer`].
#[derive(Debug)]
pub struct LogLayer<Clock> {
    log: Log,
    clock: Clock,
}

/// The fields of a span that say who logs.
#[derive(Default)]
struct Whose {
    device: Option<String>,
    connection: Option<String>,
}

impl Visit for Whose {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "device" => self.device = Some(format!("{value:?}")),
            "connection" => self.connection = Some(format!("{value:?}")),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
        written.expect("a string takes everything");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

impl<S, Clock> Layer<S> for LogLayer<Clock>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    Clock: Fn() -> Instant + Send + Sync + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut whose = Whose::default();
        attributes.record(&mut whose);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(whose);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let mut whose = Whose::default();
        // The innermost span that says it wins.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Whose>() {
                whose.device = whose.device.or_else(|| outer.device.clone());
                whose.connection = whose.connection.or_else(|| outer.connection.clone());
            }
        }
        let current = || CURRENT.with_borrow(|current| current.as_deref().map(str::to_owned));
        if let Some(connection) = whose.connection {
            write!(text.fields, " connection={connection}").expect("a string takes everything");
        }
        self.log.push(LogLine {
            at: (self.clock)(),
            level: *event.metadata().level(),
            who: current().or(whose.device).unwrap_or_default(),
            target: event.metadata().target().to_owned(),
            text: format!("{}{}", text.message, text.fields),
        });
    }
}
