//! A link to the server: TCP, authentication, and a session on it that is resumed (XEP-0198) or bound (RFC 6120, 7).

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

use crate::{Input, Options};

/// Where every account is.
pub const DOMAIN: &str = "localhost";

/// How an attempt may fail: below 1000 the server said no, and nothing was done. The others are in docs/errors.md.
const NOT_AUTHORIZED: u32 = 401;
const GONE: u32 = 404;
const TAKEN: u32 = 409;
const NO_LINK: u32 = 9508;
const TIMED_OUT: u32 = 9510;
pub const UNKNOWN: u32 = 9520;

/// For as long a server may take to answer before there is something to be bound or resumed.
const OPEN: Duration = Duration::from_secs(2);

type Stream = Box<XmlStream<BufStream<TcpStream>, Element>>;

/// What comes of an attempt and of the link that it made.
pub enum Said {
    Came(Result<(Stream, Came), u32>),
    Element(Element),
    /// Nothing for so long that the server is to be asked whether it is there.
    Silence,
    /// The server has ended the stream.
    Closed,
    Lost,
}

/// How a session came to stand on a link.
pub enum Came {
    /// It goes on. The server has handled so many stanzas.
    Resumed(u32),
    /// It is new, under this id if it can be resumed; of the one before it so many were handled, if the server knows.
    Bound(Option<String>, Option<u32>),
}

/// What it takes to come in.
pub struct Order {
    pub server: String,
    pub user: String,
    pub resource: String,
    pub options: Options,
    /// The session to be resumed, and how many stanzas of it were handled here.
    pub resume: Option<(String, u32)>,
    pub deadline: Instant,
    /// Set before the request goes out that may give this device a session.
    pub asked: Arc<AtomicBool>,
}

/// Connects and comes in.
pub async fn come(order: Order) -> Result<(Stream, Came), u32> {
    let opened = timeout_at(order.deadline.min(Instant::now() + OPEN), open(&order)).await;
    let (stream, can_manage) = opened.map_err(|_| TIMED_OUT)?.map_err(|error| match error {
        Error::Auth(AuthError::Fail(DefinedCondition::NotAuthorized)) => NOT_AUTHORIZED,
        other => {
            eprintln!("no link: {other}");
            NO_LINK
        }
    })?;
    timeout_at(order.deadline, enter(stream, can_manage && order.options.managed, &order)).await.unwrap_or(Err(UNKNOWN))
}

async fn open(order: &Order) -> Result<(Stream, bool), Error> {
    let tcp = TcpStream::connect(&order.server).await?;
    tcp.set_nodelay(true)?;
    let header = || StreamHeader { to: Some(DOMAIN.into()), from: None, id: None };
    let (read_timeout, response_timeout) = (order.options.heartbeat, order.options.heartbeat);
    let timeouts = Timeouts { read_timeout, response_timeout };
    let stream = initiate_stream(BufStream::new(tcp), ns::JABBER_CLIENT, header(), timeouts).await?;
    let (features, stream) = stream.recv_features().await?;
    let who = Credentials::default().with_username(&*order.user).with_password(&*order.options.password);
    let stream = tokio_xmpp::client_login(stream, features.sasl_mechanisms, who).await?;
    let (features, stream) = stream.send_header(header()).await?.recv_features().await?;
    Ok((Box::new(stream), features.stream_management.is_some()))
}

async fn enter(mut stream: Stream, managed: bool, order: &Order) -> Result<(Stream, Came), u32> {
    let of_management = |name: &'static str| move |it: &Element| it.is(name, ns::SM) || it.is("failed", ns::SM);
    let mut handled = None;
    if let Some((id, h)) = order.resume.as_ref().filter(|_| managed) {
        let resume = element("resume", ns::SM, &[("previd", id), ("h", &h.to_string())]).build();
        let answer = ask(&mut stream, resume, of_management("resumed")).await?;
        let h = answer.attr("h").and_then(|h| h.parse().ok());
        match answer.name() {
            "resumed" => return Ok((stream, Came::Resumed(h.unwrap_or(0)))),
            _ if !order.options.rebind => return Err(GONE),
            _ => handled = h,
        }
    }
    order.asked.store(true, Ordering::SeqCst);
    let resource = Element::builder("resource", ns::BIND).append(&*order.resource);
    let bind = iq("bind", "set", Element::builder("bind", ns::BIND).append(resource).build());
    if ask(&mut stream, bind, |it| it.attr("id") == Some("bind")).await?.attr("type") != Some("result") {
        return Err(TAKEN);
    }
    let mut session = None;
    if managed {
        let enable = element("enable", ns::SM, &[("resume", "true")]).build();
        session = ask(&mut stream, enable, of_management("enabled")).await?.attr("id").map(str::to_owned);
    }
    Ok((stream, Came::Bound(session, handled)))
}

/// The answer to a request. Nothing else matters before this device is available.
async fn ask(stream: &mut Stream, request: Element, is_it: impl Fn(&Element) -> bool) -> Result<Element, u32> {
    stream.send(&request).await.map_err(|_| NO_LINK)?;
    loop {
        match stream.next().await {
            Some(Ok(element)) if is_it(&element) => return Ok(element),
            Some(Ok(_) | Err(ReadError::SoftTimeout | ReadError::ParseError(_))) => {}
            Some(Err(ReadError::HardError(_) | ReadError::StreamFooterReceived)) | None => return Err(NO_LINK),
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
                    // By hand: the library would close the connection for writing as well, and a server that sees that
                    // first takes it for a lost link, and says no goodbye of its own.
                    Some(line) if line.is("goodbye", ns::STREAM) => {
                        let _ = stream.get_stream().get_ref().try_write(b"</stream:stream>");
                        continue;
                    }
                    Some(line) if stream.send(&line).await.is_ok() => continue,
                    Some(_) => Said::Lost,
                },
                read = stream.next() => match read {
                    Some(Ok(element)) => Said::Element(element),
                    Some(Err(ReadError::SoftTimeout)) => Said::Silence,
                    Some(Err(ReadError::ParseError(_))) => continue,
                    Some(Err(ReadError::StreamFooterReceived)) => Said::Closed,
                    Some(Err(ReadError::HardError(_))) | None => Said::Lost,
                },
            };
            let is_over = matches!(said, Said::Lost);
            if into.send(Input::Link(link, said)).is_err() || is_over {
                return;
            }
        }
    });
    out
}

pub fn element(name: &str, namespace: &str, attributes: &[(&str, &str)]) -> ElementBuilder {
    attributes.iter().fold(Element::builder(name, namespace), |builder, (name, value)| {
        builder.attr(NcName::try_from(*name).expect("an attribute's name"), *value)
    })
}

pub fn iq(id: &str, kind: &str, what: Element) -> Element {
    element("iq", ns::JABBER_CLIENT, &[("type", kind), ("id", id)]).append(what).build()
}
