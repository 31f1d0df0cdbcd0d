//! What a ticket's text may and may not do to whoever opens it. Tickets of the reference generator
//! are opened in `tests/it/ticket.rs`.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

#[path = "../../tests/it/fixed_seed.rs"]
mod fixed_seed;

use super::format::{content_to_sign, encode, hmac, read_bounded};
use super::*;

const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

fn keys() -> [SecretKey; 1] {
    [KEY.into()]
}

fn spec() -> TicketSpec {
    TicketSpec {
        app_id: 1_400_000_000,
        user: "alice".parse().unwrap(),
        issued_at: 1_700_000_000,
        ttl: 60,
        userbuf: None,
    }
}

/// The ticket of a JSON text in which `SIG` is replaced by the signature over `content`.
fn ticket(json: &str, content: &str) -> Ticket {
    let signature = STANDARD.encode(hmac(&KEY.into(), content).0);
    encode(json.replace("SIG", &signature).as_bytes())
}

/// The JSON and the content to sign of a ticket for `identifier`.
fn handmade(identifier: &str) -> (String, String) {
    let quoted = serde_json::to_string(identifier).unwrap();
    let json = format!(
        r#"{{"TLS.ver":"2.0","TLS.identifier":{quoted},"TLS.sdkappid":1,"TLS.time":2,"TLS.expire":3,"TLS.sig":"SIG"}}"#
    );
    (json, content_to_sign(identifier, 1, 2, 3, None))
}

#[test]
fn the_content_to_sign_is_lines_of_names_and_values() {
    // TICKET-1.
    assert_eq!(
        content_to_sign("alice", 1, 2, 3, Some(b"abc")),
        "TLS.identifier:alice\nTLS.sdkappid:1\nTLS.time:2\nTLS.expire:3\nTLS.userbuf:YWJj\n"
    );
}

#[test]
fn any_of_the_current_keys_may_have_signed() {
    let ticket = sign(&spec(), &KEY.into());
    let fits = |keys: &[&str]| {
        let keys: Vec<SecretKey> = keys.iter().map(|&key| key.into()).collect();
        open(ticket.as_str(), &keys).unwrap().signature_fits
    };
    assert!(fits(&[KEY]));
    assert!(fits(&["other", KEY]));
    assert!(fits(&[KEY, "other"]));
    assert!(!fits(&["other"]));
    assert!(!fits(&[]));
    // The key is the text itself: neither the bytes it is the hexadecimal of, nor its capitals.
    assert!(!fits(&[&KEY.to_uppercase()]));
}

#[test]
fn empty_and_over_long_tickets_are_refused_unread() {
    // TICKET-3. The SDK refuses the same two by itself.
    let of = |length: usize| Ticket::from("A".repeat(length));
    assert_eq!(open("", &keys()), Err(Code::TicketEmpty));
    assert_eq!(of(0).check(), Err(Code::TicketEmpty));
    assert_eq!(of(TICKET_BYTES_MAX).check(), Ok(()));
    assert_eq!(read(of(TICKET_BYTES_MAX).as_str()), Err(Unreadable::NotZlib));
    assert_eq!(of(TICKET_BYTES_MAX + 1).check(), Err(Code::TicketMalformed));
    assert_eq!(read(of(TICKET_BYTES_MAX + 1).as_str()), Err(Unreadable::TooLong));
    assert_eq!(open(of(TICKET_BYTES_MAX + 1).as_str(), &keys()), Err(Code::TicketMalformed));
}

#[test]
fn a_ticket_may_inflate_to_64_kib_and_not_a_byte_more() {
    let (json, content) = handmade("alice");
    let signature_grows_by = 44 - "SIG".len();
    let padded = |length: usize| format!("{json}{}", " ".repeat(length - json.len() - signature_grows_by));
    let largest = ticket(&padded(INFLATED_BYTES_MAX), &content);
    assert!(open(largest.as_str(), &keys()).unwrap().signature_fits);
    let larger = ticket(&padded(INFLATED_BYTES_MAX + 1), &content);
    assert_eq!(read(larger.as_str()), Err(Unreadable::Bomb));
    assert_eq!(open(larger.as_str(), &keys()), Err(Code::TicketMalformed));
}

#[test]
fn a_bomb_that_fits_into_a_ticket_does_not_go_off() {
    for filling in [b' ', b'[', b'\0'] {
        let bomb = encode(&vec![filling; 5 * 1024 * 1024]);
        assert!(bomb.as_str().len() <= TICKET_BYTES_MAX, "{} bytes", bomb.as_str().len());
        assert_eq!(read(bomb.as_str()), Err(Unreadable::Bomb));
    }
}

#[test]
fn the_bounded_reader_takes_one_byte_more_than_the_limit_at_most() {
    struct Endless(usize);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += buffer.len();
            buffer.fill(b' ');
            Ok(buffer.len())
        }
    }

    for limit in [0, 1, 100, INFLATED_BYTES_MAX] {
        let mut endless = Endless(0);
        assert_eq!(read_bounded(&mut endless, limit).unwrap(), None);
        assert_eq!(endless.0, limit + 1);
    }
    assert_eq!(read_bounded(&b"abc"[..], 3).unwrap().unwrap(), b"abc");
    assert_eq!(read_bounded(&b"abcd"[..], 3).unwrap(), None);
}

#[test]
fn bytes_behind_the_stream_and_streams_cut_short_are_malformed() {
    let whole = sign(&spec(), &KEY.into());
    let bytes = STANDARD.decode(whole.as_str().replace('*', "+").replace('-', "/").replace('_', "=")).unwrap();
    let text = |bytes: &[u8]| STANDARD.encode(bytes).replace('+', "*").replace('/', "-").replace('=', "_");
    assert_eq!(text(&bytes), whole.as_str());
    assert_eq!(read(&text(&[&bytes[..], &[0]].concat())), Err(Unreadable::NotZlib));
    for length in 1..bytes.len() {
        assert_eq!(read(&text(&bytes[..length])), Err(Unreadable::NotZlib), "{length}");
    }
}

#[test]
fn only_the_base64_of_tickets_is_read() {
    let spec = TicketSpec { userbuf: Some((0..=255).collect()), ..spec() };
    let whole = sign(&spec, &KEY.into());
    assert!(whole.as_str().contains('*') && whole.as_str().contains('-'), "{}", whole.as_str());
    for (url_safe, plain) in [('*', "+"), ('-', "/")] {
        assert_eq!(read(&whole.as_str().replace(url_safe, plain)), Err(Unreadable::NotBase64));
    }
    assert_eq!(read(&format!("{} ", whole.as_str())), Err(Unreadable::NotBase64));
    assert_eq!(read(&format!("{}\n", whole.as_str())), Err(Unreadable::NotBase64));
}

#[test]
fn numbers_may_be_canonical_text_and_nothing_else() {
    let (json, content) = handmade("alice");
    let opened = |number: &str| {
        let json = json.replace("\"TLS.time\":2", &format!("\"TLS.time\":{number}"));
        open(ticket(&json, &content).as_str(), &keys())
    };
    assert!(opened("2").unwrap().signature_fits);
    assert_eq!(opened("\"2\""), opened("2"));
    for number in ["2.0", "2e0", "-2", "\"-2\"", "\"+2\"", "\"02\"", "\" 2\"", "\"\"", "null", "true", "[2]"] {
        assert_eq!(opened(number), Err(Code::TicketMalformed), "{number}");
    }
    for too_large in ["18446744073709551616", "\"18446744073709551616\""] {
        assert_eq!(opened(too_large), Err(Code::TicketMalformed));
    }
    assert!(!opened("18446744073709551615").unwrap().signature_fits);
}

#[test]
fn documents_with_missing_doubled_or_wrong_fields_are_malformed() {
    let (json, content) = handmade("alice");
    let refused = |from: &str, to: &str| {
        assert!(json.contains(from));
        let ticket = ticket(&json.replacen(from, to, 1), &content);
        assert_eq!(read(ticket.as_str()), Err(Unreadable::NotDocument), "{from} -> {to}");
        assert_eq!(open(ticket.as_str(), &keys()), Err(Code::TicketMalformed));
    };
    refused("\"2.0\"", "\"1.0\"");
    refused("\"2.0\"", "2.0");
    refused("\"TLS.ver\":\"2.0\",", "");
    refused("\"TLS.identifier\":\"alice\",", "");
    refused("\"TLS.sdkappid\":1,", "");
    refused("\"TLS.sdkappid\":1,", "\"TLS.sdkappid\":1,\"TLS.sdkappid\":1,");
    refused("\"TLS.time\":2,", "");
    refused("\"TLS.expire\":3,", "");
    refused(",\"TLS.sig\":\"SIG\"", "");
    refused("SIG", "");
    refused("SIG", "AAAA");
    refused("SIG", "SIGAAAA");
    refused("{", "[");
    refused("{", "{},{");
}

#[test]
fn fields_nobody_knows_are_ignored() {
    let (json, content) = handmade("alice");
    let more = json.replace("{", "{\"TLS.account_type\":\"0\",\"more\":[{}],");
    let (more, plain) = (ticket(&more, &content), ticket(&json, &content));
    assert_eq!(open(more.as_str(), &keys()), open(plain.as_str(), &keys()));
}

#[test]
fn a_name_that_is_no_user_id_is_nobodys() {
    for name in ["", "no spaces", "ålice", &"a".repeat(33)] {
        let (json, content) = handmade(name);
        let ticket = ticket(&json, &content);
        let opened = open(ticket.as_str(), &keys()).unwrap();
        assert_eq!((opened.claims.user, opened.signature_fits), (None, true));
        assert_eq!(read(ticket.as_str()).unwrap().identifier, name);
        assert_eq!(judge(&opened, 1, &"a".parse().unwrap(), 2, |_| false), Err(Code::TicketOtherUser));
    }
}

#[test]
fn a_signature_cannot_be_carried_to_other_fields_by_newlines() {
    // A business server that checks no names signs this; read line by line, the same text would
    // make bob's ticket of it, with an eternal ttl and the real lines as its user buffer.
    let forged = "bob\nTLS.sdkappid:1\nTLS.time:2\nTLS.expire:999999999\nTLS.userbuf:YWJj";
    let (_, content) = handmade(forged);
    let rest = "\\nTLS.sdkappid:1\\nTLS.time:2\\nTLS.expire:3";
    let json = |userbuf: &str| {
        format!(
            r#"{{"TLS.ver":"2.0","TLS.identifier":"bob","TLS.sdkappid":1,"TLS.time":2,"TLS.expire":999999999,"TLS.userbuf":"{userbuf}","TLS.sig":"SIG"}}"#
        )
    };
    let with_rest = ticket(&json(&format!("YWJj{rest}")), &content);
    assert_eq!(open(with_rest.as_str(), &keys()), Err(Code::TicketMalformed));
    assert!(!open(ticket(&json("YWJj"), &content).as_str(), &keys()).unwrap().signature_fits);
}

#[test]
fn a_ticket_is_valid_up_to_and_including_its_last_second() {
    // TICKET-2.
    let claims = open(sign(&spec(), &KEY.into()).as_str(), &keys()).unwrap().claims;
    assert!(claims.valid_at(claims.issued_at));
    assert!(claims.valid_at(claims.issued_at + claims.ttl));
    assert!(!claims.valid_at(claims.issued_at + claims.ttl + 1));
    assert!(claims.valid_at(0), "issued in the future");
    let eternal = Claims { ttl: u64::MAX, ..claims };
    assert!(eternal.valid_at(u64::MAX));
}

#[test]
fn refusals_come_in_the_order_of_the_rules() {
    // TICKET-3. Everything is wrong at first; each step mends what was refused.
    let alice: UserId = "alice".parse().unwrap();
    let mut opened = open(sign(&spec(), &"other".into()).as_str(), &keys()).unwrap();
    opened.claims = Claims { app_id: 2, user: "bob".parse().ok(), ..opened.claims };
    let verdict = |opened: &Opened, voided: bool| judge(opened, 1, &alice, 1_700_000_061, |_| voided);
    assert_eq!(verdict(&opened, true), Err(Code::TicketOtherApp));
    opened.claims.app_id = 1;
    assert_eq!(verdict(&opened, true), Err(Code::TicketOtherUser));
    opened.claims.user = Some(alice);
    assert_eq!(verdict(&opened, true), Err(Code::TicketSignature));
    opened.signature_fits = true;
    assert_eq!(verdict(&opened, true), Err(Code::TicketVoided));
    assert_eq!(verdict(&opened, false), Err(Code::TicketExpired));
    opened.claims.ttl += 1;
    assert_eq!(verdict(&opened, false), Ok(()));
}

#[test]
fn only_signed_claims_are_looked_up_among_the_voided() {
    let (alice, bob): (UserId, UserId) = ("alice".parse().unwrap(), "bob".parse().unwrap());
    let ticket = sign(&spec(), &KEY.into());
    let good = open(ticket.as_str(), &keys()).unwrap();
    let unsigned = Opened { signature_fits: false, ..good };
    let never = |_: &Claims| -> bool { panic!("asked about claims that nobody made") };
    assert_eq!(judge(&unsigned, 1_400_000_000, &alice, 0, never), Err(Code::TicketSignature));
    assert_eq!(judge(&good, 1_400_000_000, &bob, 0, never), Err(Code::TicketOtherUser));
    assert_eq!(judge(&good, 1, &alice, 0, never), Err(Code::TicketOtherApp));
    let asked = |claims: &Claims| *claims == good.claims;
    assert_eq!(judge(&good, 1_400_000_000, &alice, 0, asked), Err(Code::TicketVoided));
}

#[test]
fn secrets_are_not_printed() {
    assert!(!format!("{:?}", keys()).contains("5bd2"));
    let ticket = sign(&spec(), &KEY.into());
    assert!(!format!("{ticket:?}").contains("eJ"));
}

fn any_spec() -> impl Strategy<Value = TicketSpec> {
    let userbuf = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
    (any::<u64>(), "[a-zA-Z0-9_-]{1,32}", any::<u64>(), any::<u64>(), userbuf).prop_map(
        |(app_id, user, issued_at, ttl, userbuf)| TicketSpec {
            app_id,
            user: user.parse().unwrap(),
            issued_at,
            ttl,
            userbuf,
        },
    )
}

proptest! {
    #![proptest_config(fixed_seed::cases(256))]

    #[test]
    fn what_is_signed_opens_to_the_same(spec in any_spec(), key in ".{0,80}") {
        let key = SecretKey::from(key);
        let ticket = sign(&spec, &key);
        prop_assert_eq!(ticket.check(), Ok(()));
        let opened = open(ticket.as_str(), &[key]).unwrap();
        prop_assert!(opened.signature_fits);
        let Claims { app_id, user, issued_at, ttl, signature: _ } = opened.claims;
        let userbuf = read(ticket.as_str()).unwrap().userbuf;
        prop_assert_eq!(TicketSpec { app_id, user: user.unwrap(), issued_at, ttl, userbuf }, spec);
    }

    #[test]
    fn other_contents_have_other_signatures(one in any_spec(), other in any_spec()) {
        let signature = |spec: &TicketSpec| read(sign(spec, &KEY.into()).as_str()).unwrap().claims.signature;
        prop_assert_eq!(one == other, signature(&one) == signature(&other));
    }

    #[test]
    fn a_mutated_ticket_never_fits_changed_contents(
        spec in any_spec(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), "[ -~]|[A-Za-z0-9*_-]"), 1..4),
    ) {
        let ticket = sign(&spec, &KEY.into());
        let mut text = ticket.as_str().to_owned();
        for (index, symbol) in changes {
            let at = index.index(text.len());
            text.replace_range(at..=at, &symbol);
        }
        same_or_refused(&ticket, &text)?;
    }

    #[test]
    fn a_mutated_document_never_fits_changed_contents(
        spec in any_spec(),
        index in any::<prop::sample::Index>(),
        symbol in "[ -~]",
    ) {
        // The mutation a stranger would make: inside, with a checksum that is right again.
        let ticket = sign(&spec, &KEY.into());
        let mut json = inflated(&ticket);
        let at = index.index(json.len());
        json.replace_range(at..=at, &symbol);
        same_or_refused(&ticket, encode(json.as_bytes()).as_str())?;
    }

    #[test]
    fn a_truncated_ticket_is_refused(spec in any_spec(), index in any::<prop::sample::Index>()) {
        let ticket = sign(&spec, &KEY.into());
        let cut = &ticket.as_str()[..index.index(ticket.as_str().len())];
        let code = if cut.is_empty() { Code::TicketEmpty } else { Code::TicketMalformed };
        prop_assert_eq!(open(cut, &keys()), Err(code));
    }

    #[test]
    fn random_text_is_refused(text in ".{1,300}|[A-Za-z0-9*_-]{1,300}|eJyrV[A-Za-z0-9*_-]{1,300}") {
        prop_assert_eq!(open(&text, &keys()), Err(Code::TicketMalformed));
    }

    #[test]
    fn random_bytes_inside_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let ticket = encode(&bytes);
        prop_assert_eq!(open(ticket.as_str(), &keys()), Err(Code::TicketMalformed));
    }
}

/// Whatever became of a ticket: it cannot be opened, or does not fit, or says the same.
fn same_or_refused(ticket: &Ticket, mutated: &str) -> Result<(), TestCaseError> {
    if open(mutated, &keys()).is_ok_and(|opened| opened.signature_fits) {
        prop_assert_eq!(read(mutated), read(ticket.as_str()));
    }
    Ok(())
}

fn inflated(ticket: &Ticket) -> String {
    let bytes = STANDARD.decode(ticket.as_str().replace('*', "+").replace('-', "/").replace('_', "=")).unwrap();
    let mut json = String::new();
    flate2::read::ZlibDecoder::new(&bytes[..]).read_to_string(&mut json).unwrap();
    json
}
