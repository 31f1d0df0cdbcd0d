//! The text of a ticket (TICKET-1): writing one, reading one, and whether its signature fits.
//!
//! Judges nothing but form: what the claims are worth is for [`judge`](super::judge). Reads text
//! from strangers, so it holds at most one byte more than [`INFLATED_BYTES_MAX`] of what a ticket
//! inflates to, and compares signatures in constant time (TICKET-3).

use std::fmt;
use std::io::{Read, Write};

use base64::Engine;
use base64::alphabet::{Alphabet, Symbol};
use base64::engine::general_purpose::{GeneralPurpose, PAD, STANDARD};
use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::{Claims, INFLATED_BYTES_MAX, Opened, OpenedTicket, SecretKey, Signature, TICKET_BYTES_MAX, Ticket};
use crate::code::Code;
use crate::id::UserId;

/// The only version whose signature is an HMAC. The one before it signs with private keys.
const VERSION: &str = "2.0";

/// Base64 that needs no escaping in a URL: `* - _` stand for `+ / =`.
const URL_SAFE: GeneralPurpose = {
    let symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-";
    let padding = Symbol::new(b'_').expect("a symbol of base64");
    match Alphabet::new_with_padding(symbols, padding) {
        Ok(alphabet) => GeneralPurpose::new(&alphabet, PAD),
        Err(_) => panic!("64 different symbols"),
    }
};

/// What a business server says in a ticket it signs.
///
/// ```
/// use gatecrash::ticket::{SecretKey, TicketSpec, open, sign};
///
/// let key = SecretKey::from("5bd2850f");
/// let spec = TicketSpec {
///     app_id: 1_400_000_000,
///     user: "alice".parse().unwrap(),
///     issued_at: 1_700_000_000,
///     ttl: 604_800,
///     userbuf: None,
/// };
/// let opened = open(sign(&spec, &key).as_str(), &[key]).unwrap();
/// assert!(opened.signature_fits);
/// assert_eq!(opened.claims.user, Some(spec.user));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketSpec {
    /// The app it is for.
    pub app_id: u64,
    /// The user it is for.
    pub user: UserId,
    /// When it is issued, in seconds since 1970.
    pub issued_at: u64,
    /// How long it is valid, in seconds.
    pub ttl: u64,
    /// What the business server wants signed along, such as the rooms the user may enter. Nothing
    /// here reads it. Over some 4 KiB it makes tickets that [`Ticket::check`] refuses.
    pub userbuf: Option<Vec<u8>>,
}

/// Everything a ticket says, for whoever examines one. Servers need only [`open`].
///
/// ```
/// use gatecrash::ticket::{Contents, SecretKey, TicketSpec, read, sign};
///
/// let (app_id, user) = (1, "alice".parse().unwrap());
/// let spec = TicketSpec { app_id, user, issued_at: 0, ttl: 60, userbuf: Some(b"abc".to_vec()) };
/// let contents: Contents = read(sign(&spec, &SecretKey::from("5bd2850f")).as_str()).unwrap();
/// assert_eq!(contents.identifier, "alice");
/// assert_eq!(contents.userbuf, Some(b"abc".to_vec()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The claims.
    pub claims: Claims,
    /// The user's name as it stands there, also when it is no [`UserId`].
    pub identifier: String,
    /// What the business server had signed along.
    pub userbuf: Option<Vec<u8>>,
}

/// Why a ticket cannot be read.
///
/// ```
/// use gatecrash::code::Code;
/// use gatecrash::ticket::{Unreadable, read};
///
/// assert_eq!(read(""), Err(Unreadable::Empty));
/// assert_eq!(read("?").unwrap_err().code(), Code::TicketMalformed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// There is no text.
    #[error("there is no text")]
    Empty,
    /// The text is over [`TICKET_BYTES_MAX`].
    #[error("it is over {TICKET_BYTES_MAX} bytes long")]
    TooLong,
    /// The text is not the base64 of tickets.
    #[error("it is not base64 with * - _ for + / =")]
    NotBase64,
    /// What the base64 stands for is not one whole zlib stream.
    #[error("what the base64 stands for is not one whole zlib stream")]
    NotZlib,
    /// It inflates to more than [`INFLATED_BYTES_MAX`].
    #[error("it inflates to over {INFLATED_BYTES_MAX} bytes")]
    Bomb,
    /// What it inflates to is not the JSON object of a ticket.
    #[error("what it inflates to is not the JSON of a ticket of version {VERSION}")]
    NotDocument,
}

impl Unreadable {
    /// The code a caller sees: [`Code::TicketEmpty`] or [`Code::TicketMalformed`] (TICKET-3).
    pub const fn code(self) -> Code {
        match self {
            Unreadable::Empty => Code::TicketEmpty,
            Unreadable::TooLong
            | Unreadable::NotBase64
            | Unreadable::NotZlib
            | Unreadable::Bomb
            | Unreadable::NotDocument => Code::TicketMalformed,
        }
    }
}

/// Opens a ticket: its claims, and whether one of `keys` signed them (TICKET-1). What they are
/// worth is for [`judge`](super::judge).
///
/// # Errors
///
/// [`Code::TicketEmpty`], [`Code::TicketMalformed`] (TICKET-3).
pub fn open(ticket: &str, keys: &[SecretKey]) -> OpenedTicket {
    let Contents { claims, identifier, userbuf } = read(ticket).map_err(Unreadable::code)?;
    let content = content_to_sign(&identifier, claims.app_id, claims.issued_at, claims.ttl, userbuf.as_deref());
    // Every key, and every byte of every key's signature: the time taken tells nothing (TICKET-3).
    let mut fits = Choice::from(0);
    for key in keys {
        fits |= hmac(key, &content).0.ct_eq(&claims.signature.0);
    }
    Ok(Opened { claims, signature_fits: fits.into() })
}

/// Reads a ticket without asking who signed it, whose it is, or whether it is still valid.
///
/// # Errors
///
/// Why it cannot be read.
pub fn read(ticket: &str) -> Result<Contents, Unreadable> {
    match ticket.len() {
        0 => return Err(Unreadable::Empty),
        length if length > TICKET_BYTES_MAX => return Err(Unreadable::TooLong),
        _ => {}
    }
    let compressed = URL_SAFE.decode(ticket).map_err(|_| Unreadable::NotBase64)?;
    let json = inflate(&compressed)?;
    let document: Document = serde_json::from_slice(&json).map_err(|_| Unreadable::NotDocument)?;
    document.into_contents().ok_or(Unreadable::NotDocument)
}

/// Signs a ticket as the reference generator would, but for the bytes that a compressor is free in
/// (TICKET-1).
pub fn sign(spec: &TicketSpec, key: &SecretKey) -> Ticket {
    let TicketSpec { app_id, user, issued_at, ttl, userbuf } = spec;
    let content = content_to_sign(user.as_str(), *app_id, *issued_at, *ttl, userbuf.as_deref());
    let document = Document {
        version: VERSION.into(),
        identifier: user.as_str().into(),
        app_id: *app_id,
        issued_at: *issued_at,
        ttl: *ttl,
        userbuf: userbuf.as_ref().map(|bytes| STANDARD.encode(bytes)),
        signature: STANDARD.encode(hmac(key, &content).0),
    };
    encode(&serde_json::to_vec(&document).expect("texts and numbers are JSON"))
}

/// The ticket that inflates to `json`.
pub(super) fn encode(json: &[u8]) -> Ticket {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json).expect("a vector takes every write");
    let compressed = encoder.finish().expect("a vector takes every write");
    URL_SAFE.encode(compressed).into()
}

/// What the signature is over. Unambiguous: no value can hold a newline, but for an identifier
/// that is no [`UserId`] and so admits nobody.
pub(super) fn content_to_sign(
    identifier: &str,
    app_id: u64,
    issued_at: u64,
    ttl: u64,
    userbuf: Option<&[u8]>,
) -> String {
    let mut content =
        format!("TLS.identifier:{identifier}\nTLS.sdkappid:{app_id}\nTLS.time:{issued_at}\nTLS.expire:{ttl}\n");
    if let Some(bytes) = userbuf {
        // The text that stands in the JSON is signed, not the bytes.
        content.push_str(&format!("TLS.userbuf:{}\n", STANDARD.encode(bytes)));
    }
    content
}

pub(super) fn hmac(key: &SecretKey, content: &str) -> Signature {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key may have any length");
    mac.update(content.as_bytes());
    Signature(mac.finalize().into_bytes().into())
}

fn inflate(compressed: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut decoder = ZlibDecoder::new(compressed);
    let inflated = read_bounded(&mut decoder, INFLATED_BYTES_MAX).map_err(|_| Unreadable::NotZlib)?;
    let inflated = inflated.ok_or(Unreadable::Bomb)?;
    // Bytes behind the stream would be signed by nobody.
    if decoder.into_inner().is_empty() { Ok(inflated) } else { Err(Unreadable::NotZlib) }
}

/// All there is to read, or nothing when that is over `limit` bytes: that one byte more is the
/// last it takes from the reader, however much there is.
pub(super) fn read_bounded(reader: impl Read, limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}

/// The JSON of a ticket, its fields in the order of the reference generator.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid", deserialize_with = "number")]
    app_id: u64,
    #[serde(rename = "TLS.time", deserialize_with = "number")]
    issued_at: u64,
    #[serde(rename = "TLS.expire", deserialize_with = "number")]
    ttl: u64,
    #[serde(rename = "TLS.userbuf", default, skip_serializing_if = "Option::is_none")]
    userbuf: Option<String>,
    #[serde(rename = "TLS.sig")]
    signature: String,
}

impl Document {
    fn into_contents(self) -> Option<Contents> {
        if self.version != VERSION {
            return None;
        }
        let signature = STANDARD.decode(self.signature).ok()?.try_into().ok()?;
        // Anything but base64 could hold a newline, and so lines that the signer never wrote.
        let userbuf = self.userbuf.map(|text| STANDARD.decode(text)).transpose().ok()?;
        let claims = Claims {
            app_id: self.app_id,
            user: self.identifier.parse().ok(),
            issued_at: self.issued_at,
            ttl: self.ttl,
            signature: Signature(signature),
        };
        Some(Contents { claims, identifier: self.identifier, userbuf })
    }
}

/// A number, or its decimal text: generators in languages without types write what the app's
/// configuration holds. Only the canonical text, since that is what the signature was made over.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Number;

    impl serde::de::Visitor<'_> for Number {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number from 0 on")
        }

        fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<u64, E> {
            Ok(value)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u64, E> {
            let value: u64 = text.parse().map_err(E::custom)?;
            if value.to_string() == text { Ok(value) } else { Err(E::custom("not canonical")) }
        }
    }

    deserializer.deserialize_any(Number)
}
