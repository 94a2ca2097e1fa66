//! How often something inside tried to reach a network: the kernel counts every packet that has no way out of a network
//! namespace, and nothing inside can change that count.
//!
//! Read by init from its own `/proc` when the command has ended. Runs in the forked child, so nothing here allocates.

use std::ffi::CStr;

use super::sys::{Fd, open_at};

/// More than the files hold.
const ROOM: usize = 16 << 10;
/// Where `OutNoRoutes` stands among the numbers of the line `Ip:`.
const NO_ROUTES: usize = 11;

/// Attempts to reach anything but the loopback since the namespace was made; 0 where it cannot be read.
pub(super) fn attempts() -> u32 {
    let mut bytes = [0; ROOM];
    let four = read(c"/proc/self/net/snmp", &mut bytes).and_then(four).unwrap_or(0);
    let six = read(c"/proc/self/net/snmp6", &mut bytes).and_then(six).unwrap_or(0);
    four.saturating_add(six)
}

fn four(text: &str) -> Option<u32> {
    // The first line has the names.
    let line = text.lines().filter_map(|line| line.strip_prefix("Ip:")).nth(1)?;
    line.split_ascii_whitespace().nth(NO_ROUTES)?.parse().ok()
}

fn six(text: &str) -> Option<u32> {
    let line = text.lines().find_map(|line| line.strip_prefix("Ip6OutNoRoutes"))?;
    line.trim().parse().ok()
}

fn read<'b>(path: &CStr, into: &'b mut [u8]) -> Option<&'b str> {
    let file: Fd = open_at(libc::AT_FDCWD, path, libc::O_RDONLY, 0).ok()?;
    // SAFETY: the pointer and the length are those of a slice.
    let count = unsafe { libc::read(file.0, into.as_mut_ptr().cast(), into.len()) };
    std::str::from_utf8(into.get(..usize::try_from(count).ok()?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_count_is_found_by_its_place() {
        let text = std::fs::read_to_string("/proc/self/net/snmp").expect("there");
        let names = text.lines().find_map(|line| line.strip_prefix("Ip:")).expect("a line of names");
        assert_eq!(names.split_ascii_whitespace().nth(NO_ROUTES), Some("OutNoRoutes"));
        assert!(four(&text).is_some());
        assert_eq!(six("Ip6InReceives 1\nIp6OutNoRoutes                  \t7\n"), Some(7));
        assert_eq!((four(""), four("Ip: a\nIp: 1 2"), six("Ip6OutNoRoutes x")), (None, None, None));
    }
}
