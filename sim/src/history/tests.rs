//! Lines are read back as they were written, and every mistake is told where it is.

use super::*;
