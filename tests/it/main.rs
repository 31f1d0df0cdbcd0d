//! The product's integration tests, one binary. Each module tests one part from outside.

#[cfg(unix)]
mod admin;
#[cfg(unix)]
mod backup;
#[cfg(unix)]
mod check_config;
mod client;
mod fixed_seed;
mod gatecrashd_ticket;
mod generated;
mod killed;
mod loopback;
mod sdk;
mod serve;
mod server;
mod store;
mod ticket;
mod tidy;
mod vocabulary;
mod wire;
mod zoo;
