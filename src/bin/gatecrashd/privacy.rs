//! Whether a file with a secret in it is kept from those whom it is not for.
//!
//! What is in it is not looked at. Where files have no such modes, nothing is said.

use std::path::Path;

/// What nobody else needs: anything for everybody, and writing for the group. A group that may read was made for that, as
/// for the service of systemd in `deploy/`.
#[cfg(unix)]
const OTHERS: u32 = 0o027;

/// What an operator should know of who gets at this file. One that cannot be looked at is its reader's to complain of.
#[cfg(unix)]
pub fn warning(what: &str, path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let shown = path.display();
    (mode & OTHERS != 0).then(|| {
        format!("others may get at the {what} '{shown}', its mode is {mode:04o}: make it 0600, or 0640 for a group of its own")
    })
}

#[cfg(not(unix))]
pub fn warning(_what: &str, _path: &Path) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// CONFIG-1.
    #[test]
    fn what_others_may_read_or_change_is_warned_of() {
        let path = std::env::temp_dir().join(format!("gatecrashd-privacy-{}", std::process::id()));
        write(&path, "key").unwrap();
        for (mode, is_warned_of) in
            [(0o600, false), (0o400, false), (0o640, false), (0o644, true), (0o604, true), (0o660, true), (0o777, true)]
        {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let warning = warning("key file", &path);
            assert_eq!(warning.is_some(), is_warned_of, "{mode:o}");
            assert!(warning.is_none_or(|warning| warning.contains(&format!("its mode is {mode:04o}"))));
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(warning("key file", &path), None, "there is none");
    }
}
