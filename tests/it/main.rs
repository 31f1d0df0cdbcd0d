//! The product's integration tests, one binary. Each module tests one part from outside.

mod ticket;
