//! The seccomp layer: which system calls are refused, compiled to a BPF program.
//!
//! Refused are calls that build other sandboxes, look into other processes, load code into the kernel, change the
//! machine, or only widen the kernel's attack surface; and calls newer than this list. Compilers, linkers and tests
//! of ordinary crates need none of them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

use super::arrangement::Arrangement;
use super::calls::{
    ABSENT, BORROWED_RIGHTS, FAMILIES, FILE_FLAGS, FIRST_UNKNOWN, MAKES_A_FILE, MODES, NAMESPACES, OWN_ONLY, REFUSED,
    SIGNALS, TERMINAL_COMMANDS, UNBOUNDED,
};
use super::landlock;
use super::sys::{Errno, check_long};

/// The rules of each call.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The compiled filter, ready for the child.
#[derive(Debug, Clone)]
pub(super) struct Filter(Arc<[libc::sock_filter]>);

impl Filter {
    /// The filter for this machine's architecture, compiled once for all sandboxes of an arrangement.
    pub(super) fn compiled(arrangement: Arrangement) -> Result<Self, seccompiler::Error> {
        static COMPILED: [OnceLock<Filter>; 2] = [const { OnceLock::new() }; 2];
        let [namespaces, restricted] = &COMPILED;
        let slot = if arrangement == Arrangement::Namespaces { namespaces } else { restricted };
        match slot.get() {
            Some(filter) => Ok(filter.clone()),
            None => {
                let filter = Self::compile(arrangement)?;
                Ok(slot.get_or_init(|| filter).clone())
            }
        }
    }

    fn compile(arrangement: Arrangement) -> Result<Self, seccompiler::Error> {
        let mut rules = calls_with_arguments()?;
        if arrangement == Arrangement::Restricted {
            refuse_without_namespaces(&mut rules, landlock::version() >= landlock::SCOPES_SINCE)?;
        }
        let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let machine = std::env::consts::ARCH.try_into()?;
        let refused: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine)?.try_into()?;
        let mut program = plain_calls();
        program.extend(refused);
        let plain =
            |one: seccompiler::sock_filter| libc::sock_filter { code: one.code, jt: one.jt, jf: one.jf, k: one.k };
        Ok(Self(program.into_iter().map(plain).collect()))
    }

    /// Puts the filter on the calling thread for good. Needs `no_new_privs`.
    pub(super) fn install(&self) -> Result<(), Errno> {
        let program = libc::sock_fprog {
            len: u16::try_from(self.0.len()).map_err(|_| libc::E2BIG)?,
            filter: self.0.as_ptr().cast_mut(),
        };
        // SAFETY: the kernel copies the program and does not write to it.
        let done = unsafe {
            libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0 as libc::c_uint, &raw const program)
        };
        check_long(done).map(drop)
    }
}

/// The first part: calls that are not there, and those that are refused whatever they ask for. It goes on to the next
/// instruction for all others.
///
/// One instruction a call: when a filter is installed, the kernel goes through it once for every call that there is.
fn plain_calls() -> BpfProgram {
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP: u16 = 0x05;
    const JUMP_EQUAL: u16 = 0x15;
    const JUMP_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const ERRNO: u32 = 0x0005_0000;
    let op = |code, jt, jf, k| seccompiler::sock_filter { code, jt, jf, k };
    // Behind the comparisons stand a jump over the answers, and the answers.
    let comparisons = ABSENT.len() + 1 + REFUSED.len();
    let to = |at: usize, answer: usize| u8::try_from(comparisons - at + answer).unwrap_or(u8::MAX);
    let mut program = vec![op(LOAD_NUMBER, 0, 0, 0)];
    let absent = ABSENT.iter().map(|call| (JUMP_EQUAL, *call as u32, 0));
    let unknown = std::iter::once((JUMP_AT_LEAST, FIRST_UNKNOWN, 0));
    let refused = REFUSED.iter().map(|call| (JUMP_EQUAL, *call as u32, 1));
    program.extend(
        absent
            .chain(unknown)
            .chain(refused)
            .zip(0..)
            .map(|((code, value, answer), at)| op(code, to(at, answer), 0, value)),
    );
    program.push(op(JUMP, 0, 0, 2));
    program.push(op(RETURN, 0, 0, ERRNO | libc::ENOSYS as u32));
    program.push(op(RETURN, 0, 0, ERRNO | libc::EPERM as u32));
    program
}

/// The second part: calls that are refused for what they ask, and the end of a process that calls in another
/// architecture's way.
fn calls_with_arguments() -> Result<Rules, seccompiler::Error> {
    let mut rules = Rules::new();

    let mut clone = Vec::new();
    for flag in NAMESPACES {
        let flag = u64::from(flag.unsigned_abs());
        clone.push(SeccompRule::new(vec![one(0, MaskedEq(flag), flag)?])?);
    }
    rules.insert(libc::SYS_clone, clone);

    let mut ioctl = Vec::new();
    for command in TERMINAL_COMMANDS {
        ioctl.push(SeccompRule::new(vec![one(1, Eq, command)?])?);
    }
    rules.insert(libc::SYS_ioctl, ioctl);

    let mut strange = Vec::new();
    for family in FAMILIES {
        strange.push(one(0, Ne, u64::from(family.unsigned_abs()))?);
    }
    let netlink = u64::from(libc::AF_NETLINK.unsigned_abs());
    let not_routes = vec![one(0, Eq, netlink)?, one(2, Ne, u64::from(libc::NETLINK_ROUTE.unsigned_abs()))?];
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(strange.clone())?, SeccompRule::new(not_routes)?]);
    rules.insert(libc::SYS_socketpair, vec![SeccompRule::new(strange)?]);

    for (call, mode, flags) in MODES {
        let mut refused = Vec::new();
        for bit in BORROWED_RIGHTS.map(u64::from) {
            let borrows = one(*mode, MaskedEq(bit), bit)?;
            let Some(flags) = flags else {
                refused.push(SeccompRule::new(vec![borrows])?);
                continue;
            };
            for flag in MAKES_A_FILE.map(|flag| u64::from(flag.unsigned_abs())) {
                refused.push(SeccompRule::new(vec![borrows.clone(), one(*flags, MaskedEq(flag), flag)?])?);
            }
        }
        rules.insert(*call, refused);
    }

    // The limit on core dumps stays what it is: a lower one would let them pass again where they go to a program.
    let core = |argument| one(argument, Eq, u64::from(libc::RLIMIT_CORE));
    let changes = SeccompCondition::new(2, Qword, Ne, 0)?;
    rules.insert(libc::SYS_setrlimit, vec![SeccompRule::new(vec![core(0)?])?]);
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![core(1)?, changes])?]);

    // Asking for the personality and setting the ordinary one stay allowed.
    let changes = vec![one(0, Ne, 0xffff_ffff)?, one(0, Ne, 0)?];
    rules.insert(libc::SYS_personality, vec![SeccompRule::new(changes)?]);
    Ok(rules)
}

/// What the namespaces would keep in: sockets, and what one user's processes may do to each other and to their files
/// without opening them, which Landlock does not look at. `signals_are_scoped` says that Landlock keeps signals in.
fn refuse_without_namespaces(rules: &mut Rules, signals_are_scoped: bool) -> Result<(), seccompiler::Error> {
    let signals = if signals_are_scoped { &[][..] } else { SIGNALS };
    rules.extend(UNBOUNDED.iter().chain(signals).map(|call| (*call, Vec::new())));
    // Only their own: the first argument is a process, and 0 the caller.
    for call in OWN_ONLY {
        rules.insert(*call, vec![SeccompRule::new(vec![one(0, Ne, 0)?])?]);
    }
    for call in [libc::SYS_setpriority, libc::SYS_ioprio_set] {
        let itself = if call == libc::SYS_setpriority { 0 } else { 1 };
        rules.insert(call, vec![SeccompRule::new(vec![one(0, Ne, itself)?])?, SeccompRule::new(vec![one(1, Ne, 0)?])?]);
    }
    let sets_limits = vec![one(0, Ne, 0)?, SeccompCondition::new(2, Qword, Ne, 0)?];
    rules.entry(libc::SYS_prlimit64).or_default().push(SeccompRule::new(sets_limits)?);
    // Times by a descriptor are those of a file that was opened; by a path, those of any file of the user.
    rules.insert(libc::SYS_utimensat, vec![SeccompRule::new(vec![SeccompCondition::new(1, Qword, Ne, 0)?])?]);
    // A file that may be read must not become one that others may write to, or that runs as somebody else.
    let mut modes = Vec::new();
    for bit in [0o4000, 0o2000, 0o020, 0o002] {
        modes.push(SeccompRule::new(vec![one(1, MaskedEq(bit), bit)?])?);
    }
    rules.insert(libc::SYS_fchmod, modes);
    let ioctl = rules.entry(libc::SYS_ioctl).or_default();
    for command in FILE_FLAGS {
        ioctl.push(SeccompRule::new(vec![one(1, Eq, command)?])?);
    }
    Ok(())
}

fn one(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, Dword, op, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_compiles_and_is_short() {
        for arrangement in Arrangement::ALL {
            let filter = Filter::compile(arrangement).expect("compiles");
            assert!(filter.0.len() < 1024, "{} instructions", filter.0.len());
        }
    }

    #[test]
    fn every_call_jumps_to_its_answer_and_others_past_both() {
        let program = plain_calls();
        let answer = |call: u32| {
            let mut at = 1;
            loop {
                let op = &program[at];
                let taken = match op.code {
                    0x15 => op.k == call,
                    0x35 => call >= op.k,
                    0x05 => return program.get(at + 1 + op.k as usize).map(|_| u32::MAX).unwrap_or(0),
                    _ => return op.k & 0xffff,
                };
                at += 1 + usize::from(if taken { op.jt } else { op.jf });
            }
        };
        for call in ABSENT {
            assert_eq!(answer(call as u32), libc::ENOSYS as u32, "{call}");
        }
        for call in REFUSED {
            assert_eq!(answer(*call as u32), libc::EPERM as u32, "{call}");
        }
        assert_eq!(answer(FIRST_UNKNOWN), libc::ENOSYS as u32);
        assert_eq!(answer(u32::MAX), libc::ENOSYS as u32);
        for call in [libc::SYS_read, libc::SYS_execve, libc::SYS_clone, libc::SYS_socket] {
            assert_eq!(answer(call as u32), 0, "{call} goes on");
        }
        assert!(program.len() < usize::from(u8::MAX), "jumps reach over it");
    }
}
