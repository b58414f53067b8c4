//! What the service logs while a test calls it: for the text of a failure, since a test usually has no log.

use std::fmt::{Debug, Write as _};
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher};

/// The result, and the warnings and errors of the service meanwhile, each on a line. The subscriber of the test gets
/// them too.
pub(super) async fn heard<T>(asked: impl Future<Output = T>) -> (T, String) {
    let lines = Arc::new(Mutex::new(String::new()));
    let ear = Ear { around: dispatcher::get_default(Dispatch::clone), lines: Arc::clone(&lines) };
    let answer = asked.with_subscriber(ear).await;
    let lines = std::mem::take(&mut *lines.lock());
    (answer, lines)
}

/// Between the service and the subscriber of the test.
struct Ear {
    around: Dispatch,
    lines: Arc<Mutex<String>>,
}

fn is_told(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.target() == "oauth" && *metadata.level() <= Level::WARN
}

impl Subscriber for Ear {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_told(metadata) || self.around.enabled(metadata)
    }

    fn event(&self, event: &Event<'_>) {
        if is_told(event.metadata()) {
            let mut line = Line::default();
            event.record(&mut line);
            let mut lines = self.lines.lock();
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(&line.message);
            lines.push_str(&line.fields);
        }
        if self.around.enabled(event.metadata()) {
            self.around.event(event);
        }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.around.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.around.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.around.record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.around.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.around.exit(span);
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.around.clone_span(span)
    }

    fn try_close(&self, span: Id) -> bool {
        self.around.try_close(span)
    }
}

/// One event, as readable text.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a `String` does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
