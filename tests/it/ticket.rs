//! Tickets of the public reference generator, and ours measured against them (TICKET-1, TICKET-2).

use gatecrash::code::Code;
use gatecrash::id::UserId;
use gatecrash::ticket::{Claims, SecretKey, TicketSpec, judge, open, read, sign};
use serde::Deserialize;

/// One ticket of the reference generator, and what went into it.
#[derive(Deserialize)]
pub struct Vector {
    pub name: String,
    pub sdk_app_id: u64,
    pub secret_key: String,
    pub user_id: UserId,
    pub issued_at: u64,
    pub ttl_seconds: u64,
    pub has_userbuf: bool,
    pub hmac_sha256_base64: String,
    pub user_sig: String,
}

/// All of them; there are nine, three with a user buffer.
pub fn vectors() -> Vec<Vector> {
    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    let file: File = serde_json::from_str(include_str!("vectors/usersig.json")).unwrap();
    assert_eq!(file.vectors.len(), 9);
    assert_eq!(file.vectors.iter().filter(|vector| vector.has_userbuf).count(), 3);
    file.vectors
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn reference_tickets_open_with_their_fields_and_signature() {
    for vector in vectors() {
        let key = SecretKey::from(vector.secret_key.as_str());
        let opened = open(&vector.user_sig, &[key]).unwrap();
        let Claims { app_id, user, issued_at, ttl, signature } = opened.claims;
        assert_eq!(app_id, vector.sdk_app_id, "{}", vector.name);
        assert_eq!(user, Some(vector.user_id), "{}", vector.name);
        assert_eq!(issued_at, vector.issued_at, "{}", vector.name);
        assert_eq!(ttl, vector.ttl_seconds, "{}", vector.name);
        assert_eq!(base64(&signature.0), vector.hmac_sha256_base64, "{}", vector.name);
        assert!(opened.signature_fits, "{}", vector.name);
        assert_eq!(read(&vector.user_sig).unwrap().userbuf.is_some(), vector.has_userbuf, "{}", vector.name);
    }
}

#[test]
fn reference_tickets_are_valid_to_their_last_second() {
    for vector in vectors() {
        let key = SecretKey::from(vector.secret_key.as_str());
        let opened = open(&vector.user_sig, &[key]).unwrap();
        let at = |second: u64| judge(&opened, vector.sdk_app_id, &vector.user_id, second, |_| false);
        let (first, last) = (vector.issued_at, vector.issued_at + vector.ttl_seconds);
        assert_eq!(at(first), Ok(()), "{}", vector.name);
        assert_eq!(at(last), Ok(()), "{}", vector.name);
        assert_eq!(at(last + 1), Err(Code::TicketExpired), "{}", vector.name);
        // TICKET-2: issued in the future.
        assert_eq!(at(first - 1_000_000), Ok(()), "{}", vector.name);
    }
}

#[test]
fn reference_tickets_do_not_fit_another_key() {
    for vector in vectors() {
        let opened = open(&vector.user_sig, &["3".into()]).unwrap();
        let verdict = judge(&opened, vector.sdk_app_id, &vector.user_id, vector.issued_at, |_| false);
        assert_eq!(verdict, Err(Code::TicketSignature), "{}", vector.name);
    }
}

#[test]
fn our_tickets_say_what_reference_tickets_say() {
    for vector in vectors() {
        let reference = read(&vector.user_sig).unwrap();
        let spec = TicketSpec {
            app_id: vector.sdk_app_id,
            user: vector.user_id,
            issued_at: vector.issued_at,
            ttl: vector.ttl_seconds,
            userbuf: reference.userbuf.clone(),
        };
        // Fields, user buffer and HMAC; the compressed bytes are each compressor's own.
        let ours = sign(&spec, &vector.secret_key.as_str().into());
        assert_eq!(read(ours.as_str()).unwrap(), reference, "{}", vector.name);
        assert_eq!(base64(&reference.claims.signature.0), vector.hmac_sha256_base64, "{}", vector.name);
    }
}
