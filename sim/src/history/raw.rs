//! One line of a history as its JSON has it: every field that a line can have, none of them looked at.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, Visitor};

use crate::scenario::rules::is_same;

/// A line of a conversation list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversation<'a> {
    #[serde(borrow)]
    pub(super) peer: Text<'a>,
    #[serde(default)]
    pub(super) last: Option<Key>,
    #[serde(borrow, default)]
    pub(super) preview: Option<Text<'a>>,
}

/// What a query says of a user. Devices are not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standing<'a> {
    #[serde(borrow)]
    pub(super) user: Text<'a>,
    #[serde(borrow, default)]
    pub(super) presence: Option<Text<'a>>,
    #[serde(default, rename = "devices")]
    _devices: IgnoredAny,
}

/// A text, borrowed from the line where it has no escapes.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A number by which a log tells calls or messages apart, or a text in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) u64);

/// A ticket, a message or a call by a text: what is kept of it is enough to know it again.
pub(super) fn known_by(text: &str) -> u64 {
    // FNV-1a, 64 bits. The highest bit keeps texts apart from numbers, which a log counts from below.
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash | 1 << 63
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 to 9223372036854775807, or a text")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Key, E> {
                if number >> 63 == 0 {
                    Ok(Key(number))
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
                }
            }

            fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                Ok(Key(known_by(text)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// Nobody, said as such.
fn explicit<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Text<'a>>>, D::Error> {
    Option::<Text<'a>>::deserialize(deserializer).map(Some)
}

macro_rules! raw {
    (texts: $($text:ident)+; lists: $($list:ident: $item:ident),+; others: $($(#[$attribute:meta])* $other:ident: $kind:ty),+;) => {
        /// One line.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Raw<'a> {
            $(#[serde(borrow, default)] pub(super) $text: Option<Text<'a>>,)+
            $(#[serde(borrow, default)] pub(super) $list: Option<Vec<$item<'a>>>,)+
            $(#[serde(default)] $(#[$attribute])* pub(super) $other: Option<$kind>,)+
        }

        /// The fields that are texts.
        pub(super) const TEXTS: &[&str] = &[$(stringify!($text)),+];

        /// Every field that a line can have.
        pub(super) const FIELDS: &[&str] = &[$(stringify!($text),)+ $(stringify!($list),)+ $(stringify!($other)),+];

        impl Raw<'_> {
            /// For each field, in the order of [`FIELDS`], a bit that says whether the line has it.
            pub(super) fn present(&self) -> u64 {
                let bits = [$(self.$text.is_some(),)+ $(self.$list.is_some(),)+ $(self.$other.is_some()),+];
                bits.iter().enumerate().fold(0, |sum, (index, &bit)| sum | u64::from(bit) << index)
            }
        }
    };
}

raw! {
    texts: actor what request user platform ticket outcome reason event by kind status from to text process
        link device effect presence why;
    lists: conversations: Conversation, report: Standing;
    others: at_us: u64, #[serde(alias = "until")] until_us: u64, number: IgnoredAny, call: Key, code: u32, message: Key,
        id: Key, epoch: u64, count: u64, sequence: u64, installation: IgnoredAny, issued: u64, ttl: u64, users: IgnoredAny, kicked: IgnoredAny,
        sampled: bool, settled: bool,
        #[serde(borrow, deserialize_with = "explicit")] login_user: Option<Text<'a>>,
        policy: serde_json::Value, max_instances: serde_json::Value, reconnect_kicks: bool, notify_offline_kick: bool;
}

/// The bits of these fields.
pub(super) const fn bits(fields: &[&str]) -> u64 {
    let (mut sum, mut index) = (0, 0);
    while index < fields.len() {
        let mut place = 0;
        while !is_same(FIELDS[place], fields[index]) {
            place += 1;
        }
        sum |= 1 << place;
        index += 1;
    }
    sum
}
