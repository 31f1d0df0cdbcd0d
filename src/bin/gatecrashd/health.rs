//! Where an operator's tools ask: `/metrics`, `/live` and `/ready`, over HTTP on a listener of its own.
//!
//! Nobody else's: it listens where the configuration says, and nowhere unless it does. Slow and many askers are bounded,
//! and none of them is waited for by anybody who logs in.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatecrash::driver::Surroundings;
use gatecrash::driver::identity::Identity;
use gatecrash::driver::server::Load;
use gatecrash::driver::tokio::Live;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use crate::metrics::Metrics;

/// How many ask at once.
const ASKERS_MAX: usize = 16;

/// How long one may take in all.
const ASKING_MAX: Duration = Duration::from_secs(10);

/// How long the core may not have looked, which it does once a second, until it is called dead.
const PULSE_MAX: Duration = Duration::from_secs(10);

/// The text format of Prometheus' own client.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is asked after.
#[derive(Clone)]
pub struct Health {
    metrics: Metrics,
    load: Load,
    identity: Option<Identity>,
    live: Live,
    pulse: Arc<Pulse>,
}

/// What the core's pulse was when somebody asked, and since when it has not changed, in microseconds.
#[derive(Default)]
struct Pulse {
    last: AtomicU64,
    since: AtomicU64,
}

impl Health {
    /// Of this server, which proves to be this, if anything.
    pub fn new(metrics: Metrics, load: Load, identity: Option<Identity>) -> Self {
        let health = Health { metrics, load, identity, live: Live::new(), pulse: Arc::default() };
        health.is_live();
        health
    }

    /// Answers whoever asks, until it is dropped.
    pub async fn serve(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(ASKERS_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    warn!(%error, "nobody can ask for metrics at the moment");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            let health = self.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request| {
                    let response = health.answer(&request);
                    async move { Ok::<_, Infallible>(response) }
                });
                let serving = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(ASKING_MAX)
                    .keep_alive(false)
                    .max_buf_size(16 * 1024)
                    .serve_connection(TokioIo::new(stream), answer);
                match tokio::time::timeout(ASKING_MAX, serving).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => debug!(%error, "somebody asked for metrics otherwise than HTTP has it"),
                    Err(_) => debug!("somebody asked for metrics and did not take them"),
                }
                drop(place);
            });
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let say = |status: StatusCode, text: String, kind: &'static str| {
            let mut response = Response::new(Full::new(Bytes::from(text)));
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
            response
        };
        let plain = |status, text: &str| say(status, format!("{text}\n"), "text/plain; charset=utf-8");
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET");
        }
        match request.uri().path() {
            "/metrics" => say(
                StatusCode::OK,
                self.metrics.text(&self.load, self.identity.as_ref(), self.live.now()),
                CONTENT_TYPE,
            ),
            "/live" if self.is_live() => plain(StatusCode::OK, "live"),
            "/live" => plain(StatusCode::SERVICE_UNAVAILABLE, "the core does not run"),
            "/ready" if self.load.is_ready() => plain(StatusCode::OK, "ready"),
            "/ready" => plain(StatusCode::SERVICE_UNAVAILABLE, "not ready: the store is not open, or it is stopping"),
            _ => plain(StatusCode::NOT_FOUND, "there are /metrics, /live and /ready"),
        }
    }

    /// Whether the core has looked lately, as far as those who asked before can tell.
    fn is_live(&self) -> bool {
        let (now, pulse) = (self.live.now().instant.as_micros(), self.load.pulse());
        if self.pulse.last.swap(pulse, Ordering::Relaxed) != pulse || pulse == 0 {
            self.pulse.since.store(now, Ordering::Relaxed);
        }
        now - self.pulse.since.load(Ordering::Relaxed).min(now) < PULSE_MAX.as_micros() as u64
    }
}
