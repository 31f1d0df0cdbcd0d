//! Tickets that were changed on the way: none says what nobody signed.

//!
//! A ticket is a text around compressed bytes around a document. A change of the outermost mostly spoils it at once, so
//! the inner ones are changed too, and packed anew.

use std::collections::BTreeSet;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use gatecrash::ticket::{SecretKey, open};

use crate::Found;
use crate::corpus::{APP, Corpus, ISSUED_AT, KEY, TTL};

/// What is changed of a ticket.
#[derive(Clone, Copy)]
enum Layer {
    Text,
    Compressed,
    Document,
}

impl Layer {
    /// This layer of a good ticket.
    fn of(self, text: &[u8]) -> Vec<u8> {
        let compressed = || {
            let plain: Vec<u8> = text.iter().map(|byte| swapped(*byte, b"*-_", b"+/=")).collect();
            STANDARD.decode(plain).expect("a good ticket")
        };
        match self {
            Layer::Text => text.to_vec(),
            Layer::Compressed => compressed(),
            Layer::Document => all_of(ZlibDecoder::new(&compressed()[..])),
        }
    }

    /// The ticket with this layer.
    fn packed(self, bytes: Vec<u8>) -> Vec<u8> {
        let compressed = match self {
            Layer::Text => return bytes,
            Layer::Compressed => bytes,
            Layer::Document => all_of(ZlibEncoder::new(&bytes[..], Compression::fast())),
        };
        STANDARD.encode(compressed).bytes().map(|byte| swapped(byte, b"+/=", b"*-_")).collect()
    }
}

fn all_of(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).expect("it is in memory, and good");
    bytes
}

fn swapped(byte: u8, from: &[u8; 3], to: &[u8; 3]) -> u8 {
    from.iter().position(|other| *other == byte).map_or(byte, |index| to[index])
}

/// Tries so many.
pub fn fuzz(mut corpus: Corpus, inputs: u64, done: &dyn Fn()) -> Result<(), Found> {
    let keys = [SecretKey::from("another key of the app"), SecretKey::from(KEY)];
    let signed: BTreeSet<_> = ["alice", "bob"].into();
    let mut layers = match corpus.is_changed() {
        true => [Layer::Text, Layer::Compressed, Layer::Document]
            .map(|layer| (layer, corpus.of_each(|text| layer.of(text))))
            .into(),
        false => vec![(Layer::Text, corpus.of_each(<[u8]>::to_vec))],
    };
    let number = layers.len();
    for turn in 0..inputs {
        let (layer, corpus) = &mut layers[turn as usize % number];
        let input = layer.packed(corpus.next());
        let text = String::from_utf8_lossy(&input);
        let found = |what: &str| Err(Found { what: what.to_owned(), inputs: vec![input.clone()] });
        let Ok(opened) = catch_unwind(AssertUnwindSafe(|| open(&text, &keys))) else { return found("a panic") };
        if let Ok(opened) = opened
            && opened.signature_fits
        {
            let claims = &opened.claims;
            let is_ours = claims.user.as_ref().is_some_and(|user| signed.contains(user.as_str()));
            if !is_ours || (claims.app_id, claims.issued_at, claims.ttl) != (APP, ISSUED_AT, TTL) {
                return found("a ticket that fits says what nobody signed");
            }
        }
        done();
    }
    Ok(())
}
