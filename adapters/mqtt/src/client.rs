//! rumqttc's two clients, of MQTT 5 and of 3.1.1, as one. When to connect, and what to make of a loss, is `link.rs`'s.

use std::io;
use std::time::Duration;

use rumqttc::mqttbytes::v4;
use rumqttc::{Outgoing, v5};
use v5::mqttbytes::v5 as packet5;

/// What a connection is made with.
#[derive(Clone, Debug)]
pub struct Options {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub version_5: bool,
    pub clean: bool,
    /// In seconds.
    pub keep_alive: u16,
    /// In seconds; MQTT 5 only.
    pub will_delay: u32,
    pub password: Option<String>,
}

/// What came of a poll.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    Accepted,
    /// A publication went out, under this packet identifier.
    Sent(u16),
    /// The server has taken charge of it, or refuses to.
    Acknowledged(u16, bool),
    Published(String, Vec<u8>),
    SaidGoodbye,
    Other,
}

/// Why a poll failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no connection, and nothing was sent.
    Unreachable,
    /// The answer to CONNECT, as a reason code of MQTT 5.
    Refused(u8),
    /// DISCONNECT with reason 0x8E.
    TakenOver,
    /// The server closed the connection without a word.
    Closed,
    Lost,
}

pub enum Client {
    Five(v5::AsyncClient, Box<v5::EventLoop>),
    Three(rumqttc::AsyncClient, Box<rumqttc::EventLoop>),
}

/// Requests that rumqttc holds for a client before it has sent them.
const ROOM: usize = 10_000;
/// A message's text and what is around it.
const PACKET_MAX: u32 = 64 * 1024;
/// How long a session is kept whose connection is gone, in seconds.
const SESSION_EXPIRY: u32 = 3600;

impl Client {
    pub fn new(options: &Options) -> Self {
        let Options { host, port, user, .. } = options;
        let topic = format!("presence/{user}");
        if options.version_5 {
            let mut five = v5::MqttOptions::new(user, host, *port);
            let mut properties = packet5::ConnectProperties::new();
            properties.session_expiry_interval = Some(SESSION_EXPIRY);
            properties.max_packet_size = Some(PACKET_MAX);
            five.set_connect_properties(properties).set_clean_start(options.clean);
            let delay = packet5::LastWillProperties {
                delay_interval: (options.will_delay > 0).then_some(options.will_delay),
                payload_format_indicator: None,
                message_expiry_interval: None,
                content_type: None,
                response_topic: None,
                correlation_data: None,
                user_properties: Vec::new(),
            };
            let qos = v5::mqttbytes::QoS::AtLeastOnce;
            five.set_last_will(packet5::LastWill::new(topic, "offline", qos, true, Some(delay)));
            if let Some(password) = &options.password {
                five.set_credentials(user, password);
            }
            let (client, events) = v5::AsyncClient::new(five, ROOM);
            Client::Five(client, Box::new(events))
        } else {
            let mut three = rumqttc::MqttOptions::new(user, host, *port);
            three.set_clean_session(options.clean).set_max_packet_size(PACKET_MAX as usize, PACKET_MAX as usize);
            three.set_last_will(v4::LastWill::new(topic, "offline", rumqttc::QoS::AtLeastOnce, true));
            if let Some(password) = &options.password {
                three.set_credentials(user, password);
            }
            let (client, events) = rumqttc::AsyncClient::new(three, ROOM);
            Client::Three(client, Box::new(events))
        }
    }

    /// The keep alive of the next CONNECT. rumqttc pings by it, too, takes no less than 5 s for MQTT 5, and gives a
    /// connection up if a ping has no answer at the next one, however shortly before somebody else pinged. So once a
    /// connection stands its own pings are put off, and `ping` is called in their place.
    pub fn keep_alive(&mut self, seconds: u16) {
        match self {
            Client::Five(_, events) => _ = events.options.set_keep_alive(Duration::from_secs(seconds.max(5).into())),
            Client::Three(_, events) => _ = events.mqtt_options.set_keep_alive(Duration::from_secs(seconds.into())),
        }
    }

    /// Whether a ping has no answer yet.
    pub fn is_pinging(&self) -> bool {
        match self {
            Client::Five(_, events) => events.state.await_pingresp || events.pending.contains(&v5::Request::PingReq),
            Client::Three(_, events) => {
                events.state.await_pingresp || events.pending.contains(&rumqttc::Request::PingReq(v4::PingReq))
            }
        }
    }

    /// Goes out with the next poll, ahead of everything else. rumqttc has no call for it.
    pub fn ping(&mut self) {
        match self {
            Client::Five(_, events) => events.pending.push_back(v5::Request::PingReq),
            Client::Three(_, events) => events.pending.push_back(rumqttc::Request::PingReq(v4::PingReq)),
        }
    }

    /// Connects if there is no connection, and waits for what happens next. Given up half-way, it loses nothing but an
    /// attempt to connect.
    pub async fn poll(&mut self) -> Result<Event, Failure> {
        match self {
            Client::Five(_, events) => events.poll().await.map(event_5).map_err(|error| failure_5(&error)),
            Client::Three(_, events) => events.poll().await.map(event_3).map_err(|error| failure_3(&error)),
        }
    }

    /// Gives the connection up, if there still is one: what had come before it was lost and was not told yet.
    pub fn lose(&mut self) -> Vec<Event> {
        match self {
            Client::Five(_, events) => {
                events.clean();
                events.state.events.drain(..).map(event_5).collect()
            }
            Client::Three(_, events) => {
                events.clean();
                events.state.events.drain(..).map(event_3).collect()
            }
        }
    }

    /// How many publications go out again if the session is still there.
    pub fn to_be_repeated(&self) -> usize {
        match self {
            Client::Five(_, events) => {
                events.pending.iter().filter(|request| matches!(request, v5::Request::Publish(_))).count()
            }
            Client::Three(_, events) => {
                events.pending.iter().filter(|request| matches!(request, rumqttc::Request::Publish(_))).count()
            }
        }
    }

    pub fn publish(&self, topic: &str, payload: &[u8], retain: bool) -> bool {
        match self {
            Client::Five(client, _) => {
                client.try_publish(topic, v5::mqttbytes::QoS::AtLeastOnce, retain, payload.to_vec()).is_ok()
            }
            Client::Three(client, _) => {
                client.try_publish(topic, rumqttc::QoS::AtLeastOnce, retain, payload.to_vec()).is_ok()
            }
        }
    }

    pub fn subscribe(&self, topic: &str) -> bool {
        match self {
            Client::Five(client, _) => client.try_subscribe(topic, v5::mqttbytes::QoS::AtLeastOnce).is_ok(),
            Client::Three(client, _) => client.try_subscribe(topic, rumqttc::QoS::AtLeastOnce).is_ok(),
        }
    }

    pub fn disconnect(&self) -> bool {
        match self {
            Client::Five(client, _) => client.try_disconnect().is_ok(),
            Client::Three(client, _) => client.try_disconnect().is_ok(),
        }
    }
}

fn event_5(event: v5::Event) -> Event {
    match event {
        v5::Event::Incoming(v5::Incoming::ConnAck(_)) => Event::Accepted,
        v5::Event::Incoming(v5::Incoming::Publish(publish)) => {
            Event::Published(String::from_utf8_lossy(&publish.topic).into_owned(), publish.payload.to_vec())
        }
        v5::Event::Incoming(v5::Incoming::PubAck(answer)) => {
            use packet5::PubAckReason::{NoMatchingSubscribers, Success};
            Event::Acknowledged(answer.pkid, matches!(answer.reason, Success | NoMatchingSubscribers))
        }
        v5::Event::Outgoing(Outgoing::Publish(packet)) => Event::Sent(packet),
        v5::Event::Outgoing(Outgoing::Disconnect) => Event::SaidGoodbye,
        _ => Event::Other,
    }
}

fn event_3(event: rumqttc::Event) -> Event {
    match event {
        rumqttc::Event::Incoming(rumqttc::Incoming::ConnAck(_)) => Event::Accepted,
        rumqttc::Event::Incoming(rumqttc::Incoming::Publish(publish)) => {
            Event::Published(publish.topic, publish.payload.to_vec())
        }
        rumqttc::Event::Incoming(rumqttc::Incoming::PubAck(answer)) => Event::Acknowledged(answer.pkid, true),
        rumqttc::Event::Outgoing(Outgoing::Publish(packet)) => Event::Sent(packet),
        rumqttc::Event::Outgoing(Outgoing::Disconnect) => Event::SaidGoodbye,
        _ => Event::Other,
    }
}

/// An I/O error that is rumqttc's own comes from before CONNECT; those of a connection are errors of its state.
fn failure_5(error: &v5::ConnectionError) -> Failure {
    use v5::{ConnectionError, StateError, mqttbytes::Error};
    match error {
        ConnectionError::Io(_) => Failure::Unreachable,
        ConnectionError::ConnectionRefused(code) => Failure::Refused(code_5(*code)),
        ConnectionError::MqttState(StateError::ServerDisconnect {
            reason_code: packet5::DisconnectReasonCode::SessionTakenOver,
            ..
        }) => Failure::TakenOver,
        ConnectionError::MqttState(StateError::ConnectionAborted) => Failure::Closed,
        ConnectionError::MqttState(StateError::Io(error) | StateError::Deserialization(Error::Io(error))) => {
            closed_or_lost(error)
        }
        _ => Failure::Lost,
    }
}

fn failure_3(error: &rumqttc::ConnectionError) -> Failure {
    use rumqttc::{ConnectionError, StateError, mqttbytes::Error};
    match error {
        ConnectionError::Io(_) => Failure::Unreachable,
        ConnectionError::ConnectionRefused(code) => Failure::Refused(code_3(*code)),
        ConnectionError::MqttState(StateError::ConnectionAborted) => Failure::Closed,
        ConnectionError::MqttState(StateError::Io(error) | StateError::Deserialization(Error::Io(error))) => {
            closed_or_lost(error)
        }
        _ => Failure::Lost,
    }
}

/// Whoever closes a connection on which there is something to read resets it.
fn closed_or_lost(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Failure::Closed,
        _ => Failure::Lost,
    }
}

/// rumqttc has the numbers of the codes in the packet that it writes, and nowhere else.
fn code_5(code: packet5::ConnectReturnCode) -> u8 {
    let mut written = bytes::BytesMut::new();
    let answer = packet5::ConnAck { session_present: false, code, properties: None };
    answer.write(&mut written).ok().and_then(|_| written.get(3).copied()).unwrap_or(0x80)
}

fn code_3(code: v4::ConnectReturnCode) -> u8 {
    use v4::ConnectReturnCode::{
        BadClientId, BadUserNamePassword, NotAuthorized, RefusedProtocolVersion, ServiceUnavailable, Success,
    };
    match code {
        Success => 0,
        RefusedProtocolVersion => 0x84,
        BadClientId => 0x85,
        BadUserNamePassword => 0x86,
        NotAuthorized => 0x87,
        ServiceUnavailable => 0x88,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_number_of_the_standard_in_both_versions() {
        assert_eq!(code_5(packet5::ConnectReturnCode::NotAuthorized), 0x87);
        assert_eq!(code_5(packet5::ConnectReturnCode::ServerBusy), 0x89);
        assert_eq!(code_3(v4::ConnectReturnCode::NotAuthorized), 0x87);
    }

    #[test]
    fn a_takeover_a_close_and_a_loss_are_told_apart() {
        let taken = v5::StateError::ServerDisconnect {
            reason_code: packet5::DisconnectReasonCode::SessionTakenOver,
            reason_string: None,
        };
        assert_eq!(failure_5(&taken.into()), Failure::TakenOver);
        let stops = v5::StateError::ServerDisconnect {
            reason_code: packet5::DisconnectReasonCode::ServerShuttingDown,
            reason_string: None,
        };
        assert_eq!(failure_5(&stops.into()), Failure::Lost);
        assert_eq!(failure_3(&rumqttc::StateError::ConnectionAborted.into()), Failure::Closed);
        assert_eq!(failure_3(&rumqttc::StateError::AwaitPingResp.into()), Failure::Lost);
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(failure_3(&refused.into()), Failure::Unreachable);
    }
}
