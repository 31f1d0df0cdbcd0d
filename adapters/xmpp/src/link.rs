//! A link to the server: TCP, authentication, and a session on it that is resumed (XEP-0198) or bound (RFC 6120, 7).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use sasl::common::Credentials;
use tokio::io::BufStream;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};
use tokio_xmpp::error::{AuthError, Error};
use tokio_xmpp::minidom::rxml::NcName;
use tokio_xmpp::minidom::{Element, ElementBuilder};
use tokio_xmpp::parsers::ns;
use tokio_xmpp::parsers::sasl::DefinedCondition;
use tokio_xmpp::xmlstream::{ReadError, StreamHeader, Timeouts, XmlStream, initiate_stream};

use crate::Input;

/// Where every account is.
pub const DOMAIN: &str = "localhost";

/// For as long a server may take to answer before there is something to be bound or resumed.
const OPEN: Duration = Duration::from_secs(2);

pub type Stream = XmlStream<BufStream<TcpStream>, Element>;

/// What it takes to come in.
#[derive(Clone)]
pub struct Order {
    pub server: String,
    pub user: String,
    pub password: String,
    pub resource: String,
    /// After so much silence the server is asked, and after as much again the link is taken for lost.
    pub heartbeat: Duration,
    /// Whether stream management is wanted.
    pub managed: bool,
    /// The session to be resumed, and how many stanzas of it were handled here.
    pub resume: Option<(String, u32)>,
    /// Whether a session that cannot be resumed is bound anew.
    pub rebind: bool,
    pub deadline: Instant,
    /// Set before the request goes out that may give this device a session.
    pub asked: Arc<AtomicBool>,
}

/// How a session came to stand on a link.
pub enum Came {
    /// It goes on. The server has handled so many stanzas.
    Resumed(u32),
    /// It is new, under this id if it can be resumed; the one before it, if there was one, had so many stanzas handled.
    Bound(Option<String>, Option<u32>),
}

/// Why none does.
#[derive(Debug)]
pub enum Failure {
    /// The way there, or the time, with the code an application would get.
    NoLink(u32),
    /// The server said no.
    Refused(u32),
    /// The session to be resumed is none any more, and is not bound anew.
    Gone,
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        match error.into() {
            Error::Auth(AuthError::Fail(DefinedCondition::NotAuthorized)) => Failure::Refused(401),
            other => {
                eprintln!("no link: {other}");
                Failure::NoLink(9508)
            }
        }
    }
}

/// Connects and comes in.
pub async fn come(order: Order) -> Result<(Stream, Came), Failure> {
    let (stream, can_manage) = timeout_at(order.deadline.min(Instant::now() + OPEN), open(&order))
        .await
        .unwrap_or(Err(Failure::NoLink(9510)))?;
    timeout_at(order.deadline, enter(stream, can_manage && order.managed, &order))
        .await
        .unwrap_or(Err(Failure::NoLink(9520)))
}

async fn open(order: &Order) -> Result<(Stream, bool), Failure> {
    let tcp = TcpStream::connect(&order.server).await?;
    tcp.set_nodelay(true)?;
    let header = || StreamHeader { to: Some(DOMAIN.into()), from: None, id: None };
    let timeouts = Timeouts { read_timeout: order.heartbeat, response_timeout: order.heartbeat };
    let stream = initiate_stream(BufStream::new(tcp), ns::JABBER_CLIENT, header(), timeouts).await?;
    let (features, stream) = stream.recv_features().await?;
    let who = Credentials::default().with_username(&*order.user).with_password(&*order.password);
    let stream = tokio_xmpp::client_login(stream, features.sasl_mechanisms, who).await?;
    let (features, stream) = stream.send_header(header()).await?.recv_features().await?;
    Ok((stream, features.stream_management.is_some()))
}

async fn enter(mut stream: Stream, managed: bool, order: &Order) -> Result<(Stream, Came), Failure> {
    let mut handled = None;
    if let Some((id, h)) = order.resume.as_ref().filter(|_| managed) {
        stream.send(&element("resume", ns::SM, &[("previd", id), ("h", &h.to_string())]).build()).await?;
        let answer = answer(&mut stream, |it| it.is("resumed", ns::SM) || it.is("failed", ns::SM)).await?;
        let h = answer.attr("h").and_then(|h| h.parse().ok());
        match answer.name() {
            "resumed" => return Ok((stream, Came::Resumed(h.unwrap_or(0)))),
            _ if !order.rebind => return Err(Failure::Gone),
            _ => handled = h,
        }
    }
    order.asked.store(true, Ordering::SeqCst);
    let resource = Element::builder("resource", ns::BIND).append(&*order.resource);
    stream.send(&iq("set", "bind", Element::builder("bind", ns::BIND).append(resource).build())).await?;
    let bound = answer(&mut stream, |it| it.name() == "iq" && it.attr("id") == Some("bind")).await?;
    if bound.attr("type") != Some("result") {
        return Err(Failure::Refused(409));
    }
    let mut session = None;
    if managed {
        stream.send(&element("enable", ns::SM, &[("resume", "true")]).build()).await?;
        let answer = answer(&mut stream, |it| it.is("enabled", ns::SM) || it.is("failed", ns::SM)).await?;
        session = answer.attr("id").map(str::to_owned);
    }
    Ok((stream, Came::Bound(session, handled)))
}

/// The first element that is an answer. Nothing else matters before this device is available.
async fn answer(stream: &mut Stream, is_it: impl Fn(&Element) -> bool) -> Result<Element, Failure> {
    loop {
        match stream.next().await {
            Some(Ok(element)) if is_it(&element) => return Ok(element),
            Some(Ok(element)) if element.name() == "error" => {
                eprintln!("stream error: {}", String::from(&element));
                return Err(Failure::NoLink(9508));
            }
            Some(Ok(_) | Err(ReadError::SoftTimeout | ReadError::ParseError(_))) => {}
            Some(Err(ReadError::HardError(error))) => return Err(error.into()),
            Some(Err(ReadError::StreamFooterReceived)) | None => return Err(io::Error::other("closed").into()),
        }
    }
}

/// Has somebody read and write. Whoever lets go of what is given back has the connection closed, without a word.
pub fn run(mut stream: Stream, link: u64, into: UnboundedSender<Input>) -> UnboundedSender<Element> {
    let (out, mut lines) = unbounded_channel::<Element>();
    tokio::spawn(async move {
        loop {
            let said = tokio::select! {
                line = lines.recv() => match line {
                    None => return,
                    Some(goodbye) if goodbye.is("close", ns::STREAM) => {
                        let _ = stream.shutdown().await;
                        continue;
                    }
                    Some(element) if stream.send(&element).await.is_ok() => continue,
                    Some(_) => Input::Lost(link),
                },
                read = stream.next() => match read {
                    Some(Ok(element)) => Input::Element(link, element),
                    Some(Err(ReadError::SoftTimeout)) => Input::Silence(link),
                    Some(Err(ReadError::ParseError(_))) => continue,
                    Some(Err(ReadError::StreamFooterReceived)) => Input::Closed(link),
                    Some(Err(ReadError::HardError(_))) | None => Input::Lost(link),
                },
            };
            let is_over = matches!(said, Input::Lost(_));
            if into.send(said).is_err() || is_over {
                return;
            }
        }
    });
    out
}

/// What is put among elements for the end of the stream.
pub fn goodbye() -> Element {
    element("close", ns::STREAM, &[]).build()
}

pub fn element(name: &str, namespace: &str, attributes: &[(&str, &str)]) -> ElementBuilder {
    attributes.iter().fold(Element::builder(name, namespace), |builder, (name, value)| {
        builder.attr(NcName::try_from(*name).expect("an attribute's name"), *value)
    })
}

pub fn iq(kind: &str, id: &str, what: Element) -> Element {
    element("iq", ns::JABBER_CLIENT, &[("type", kind), ("id", id)]).append(what).build()
}
