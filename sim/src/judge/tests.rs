//! Histories that are right, wrong, and say nothing.
