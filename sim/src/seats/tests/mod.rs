//! The order of seats, held against what is obviously right and against what it may cost.

mod agrees;
mod draw;
mod effort;
mod naive;
mod saying;
mod stories;
mod streaming;
