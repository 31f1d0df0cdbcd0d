//! Everything between the pure cores and the outside: bytes, connections, clocks, disks.
//!
//! The only place with async, sockets and tokio. Decides nothing about sessions: the cores do.

pub mod wire;
