//! How broken decisions are written down: each is a type of its own that overrides what it breaks,
//! and one enum asks whichever it is told to, so that the world is compiled once for all of them.
//!
//! Breaks nothing: `server` and `client` do.

/// Several implementations of a trait of decisions, and an enum that is any one of them or the rules.
///
/// The `$` comes first because a macro cannot write another's without being handed one.
macro_rules! broken {
    (
        ($d:tt) $(#[$kind_doc:meta])+ enum $kind:ident implements $decisions:ident asked by $ask:ident;
        $($(#[$doc:meta])+ $bug:ident { $($body:item)+ })+
    ) => {
        $(
            $(#[$doc])+
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            struct $bug;
            impl $decisions for $bug { $($body)+ }
        )+

        $(#[$kind_doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub(super) enum $kind {
            /// Nothing is broken.
            #[default]
            Rules,
            $($(#[$doc])+ $bug,)+
        }

        macro_rules! $ask {
            ($d self:ident.$d method:ident($d($d argument:expr),*)) => {
                match $d self {
                    $kind::Rules => Rules.$d method($d($d argument),*),
                    $($kind::$bug => $bug.$d method($d($d argument),*),)+
                }
            };
        }
    };
}

pub(super) use broken;
