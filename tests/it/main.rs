//! The product's integration tests, one binary. Each module tests one part from outside.

#[cfg(unix)]
mod admin;
mod authority;
#[cfg(unix)]
mod backup;
#[cfg(unix)]
mod check_config;
mod client;
mod fixed_seed;
mod gatecrashd_ticket;
mod generated;
mod killed;
mod limits;
mod loopback;
#[cfg(unix)]
mod metrics;
mod reload;
mod sdk;
mod secured;
mod serve;
mod server;
mod store;
mod ticket;
mod tidy;
mod vocabulary;
mod websocket;
mod wire;
mod zoo;
