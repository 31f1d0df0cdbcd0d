//! Each situation reached, and nearly reached.
