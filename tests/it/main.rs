//! The product's integration tests, one binary. Each module tests one part from outside.

mod authority;
mod client;
mod fixed_seed;
mod gatecrashd_ticket;
mod generated;
mod killed;
mod loopback;
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
