//! How broken decisions are written down: each is a type of its own that overrides what it breaks,
//! and one enum asks whichever it is told to, so that the world is compiled once for all of them.
//!
//! Breaks nothing: `server` and `client` do.

/// Broken decisions of one trait, each a type that overrides what it breaks.
macro_rules! decisions {
    ($decisions:ident; $($(#[$doc:meta])+ $bug:ident { $($body:item)+ })+) => {
        $(
            $(#[$doc])+
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub(in crate::zoo) struct $bug;
            impl $decisions for $bug { $($body)+ }
        )+
    };
}

/// Several implementations of a trait of decisions, and an enum that is any one of them or the rules. Some may have been
/// written elsewhere.
///
/// The `$` comes first because a macro cannot write another's without being handed one.
macro_rules! broken {
    (
        ($d:tt) $(#[$kind_doc:meta])+ enum $kind:ident implements $decisions:ident asked by $ask:ident
        beside [$($elsewhere:ident),*];
        $($(#[$doc:meta])+ $bug:ident { $($body:item)+ })+
    ) => {
        $crate::zoo::broken::decisions! { $decisions; $($(#[$doc])+ $bug { $($body)+ })+ }

        $(#[$kind_doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub(super) enum $kind {
            /// Nothing is broken.
            #[default]
            Rules,
            $($(#[$doc])+ $bug,)+
            $(#[doc = "Written elsewhere."] $elsewhere,)*
        }

        macro_rules! $ask {
            ($d self:ident.$d method:ident($d($d argument:expr),*)) => {
                match $d self {
                    $kind::Rules => Rules.$d method($d($d argument),*),
                    $($kind::$bug => $bug.$d method($d($d argument),*),)+
                    $($kind::$elsewhere => $elsewhere.$d method($d($d argument),*),)*
                }
            };
        }
    };
}

pub(super) use {broken, decisions};
