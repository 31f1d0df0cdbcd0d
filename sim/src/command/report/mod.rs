//! `--report DIR`: what a command was asked for and what came of it, as files for other programs.
//!
//! What the files say is made by the library; here they are written.

mod actions;
mod folder;
mod root;
mod wanted;

pub use folder::{Folder, Made, earlier};
pub use root::{from_root, place_of_step};
pub use wanted::Wanted;
