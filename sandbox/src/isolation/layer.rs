//! The layers of the sandbox: their names, what each gives, and what to do where one is missing.
//!
//! Only words and order. Whether a layer holds is found out by trying it, in `probe`.

use kaizen_domain::{Layer, LayerState};

use super::arrangement::Arrangement;

/// One layer, in the order in which they are built up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum LayerName {
    User,
    Mount,
    Pid,
    Network,
    Ipc,
    Uts,
    CgroupNamespace,
    PrivateProc,
    Overlay,
    Copy,
    Gathering,
    Capabilities,
    NoNewPrivileges,
    ResourceLimits,
    ProcessLimit,
    Watch,
    Landlock,
    Seccomp,
}

impl LayerName {
    pub(super) const ALL: [Self; 18] = [
        Self::User,
        Self::Mount,
        Self::Pid,
        Self::Network,
        Self::Ipc,
        Self::Uts,
        Self::CgroupNamespace,
        Self::PrivateProc,
        Self::Overlay,
        Self::Copy,
        Self::Gathering,
        Self::Capabilities,
        Self::NoNewPrivileges,
        Self::ResourceLimits,
        Self::ProcessLimit,
        Self::Watch,
        Self::Landlock,
        Self::Seccomp,
    ];

    /// The layers that an arrangement is made of.
    pub(super) fn of(arrangement: Arrangement) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |layer| match arrangement {
            Arrangement::Namespaces => !matches!(layer, Self::Copy | Self::Gathering),
            Arrangement::Restricted => matches!(
                layer,
                Self::Copy
                    | Self::Gathering
                    | Self::Capabilities
                    | Self::NoNewPrivileges
                    | Self::ResourceLimits
                    | Self::ProcessLimit
                    | Self::Watch
                    | Self::Landlock
                    | Self::Seccomp
            ),
        })
    }

    /// The name that people and waivers use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "user namespace",
            Self::Mount => "mount namespace",
            Self::Pid => "pid namespace",
            Self::Network => "network namespace",
            Self::Ipc => "ipc namespace",
            Self::Uts => "uts namespace",
            Self::CgroupNamespace => "cgroup namespace",
            Self::PrivateProc => "private proc",
            Self::Overlay => "overlay",
            Self::Copy => "copied tree",
            Self::Gathering => "gathered processes",
            Self::Capabilities => "no capabilities",
            Self::NoNewPrivileges => "no new privileges",
            Self::ResourceLimits => "resource limits",
            Self::ProcessLimit => "process limit",
            Self::Watch => "resource watch",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
        }
    }

    /// Whether there is no sandbox at all without it, so that a waiver changes nothing.
    pub(super) fn structural(self, arrangement: Arrangement) -> bool {
        let alone = arrangement == Arrangement::Restricted && matches!(self, Self::Landlock | Self::Seccomp);
        alone
            || matches!(
                self,
                Self::User
                    | Self::Mount
                    | Self::Pid
                    | Self::Overlay
                    | Self::Copy
                    | Self::Gathering
                    | Self::Capabilities
                    | Self::NoNewPrivileges
                    | Self::ResourceLimits
                    | Self::Watch
            )
    }

    /// What it means that the layer holds.
    fn gives(self, arrangement: Arrangement) -> &'static str {
        match self {
            Self::Landlock if arrangement == Arrangement::Restricted => {
                "only what a job names can be read, only the copied tree and scratch folders can be written"
            }
            Self::Seccomp if arrangement == Arrangement::Restricted => {
                "there are no sockets, modes and owners of files stay, and system calls that only widen the kernel's \
                 attack surface are refused"
            }
            Self::Copy => "a trial works on a copy of its own, which is gone afterwards; its base stays as it is",
            Self::Gathering => "processes that leave their parents are gathered, and all of them end together",
            Self::User => "commands run as an unprivileged user of a namespace of their own, whoever starts Kaizen",
            Self::Mount => "commands see a root of their own: system folders read-only, and what the job names",
            Self::Pid => "commands see only their own processes, and all of them end together",
            Self::Network => "commands have a loopback of their own and no other network",
            Self::Ipc => "commands share no message queue or shared memory with the host",
            Self::Uts => "commands see and have a host name of their own",
            Self::CgroupNamespace => "commands do not see where the host accounts for them",
            Self::PrivateProc => "`/proc` is read-only and shows the commands' own processes",
            Self::Overlay => "what a trial writes lies in memory and is gone afterwards; its base stays as it is",
            Self::Capabilities => "commands hold no capability, not even inside",
            Self::NoNewPrivileges => "setuid programs give no power",
            Self::ResourceLimits => "the kernel limits processor time, memory and files of each process",
            Self::ProcessLimit => "the kernel stops a fork bomb",
            Self::Watch => "all processes together are watched for memory, processor time and number, and ended above",
            Self::Landlock => "writing is refused outside the tree and the scratch folders, a second time",
            Self::Seccomp => "system calls that only widen the kernel's attack surface are refused",
        }
    }

    /// The way out when the layer is missing.
    pub(super) fn way_out(self, arrangement: Arrangement) -> String {
        let setting = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let mut help = match self {
            Self::User | Self::Mount => {
                if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
                    "AppArmor restricts user namespaces here: `sudo sysctl -w \
                     kernel.apparmor_restrict_unprivileged_userns=0`, or give Kaizen an AppArmor profile with `userns,`"
                } else if setting("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
                    "allow user namespaces: `sudo sysctl -w kernel.unprivileged_userns_clone=1`"
                } else if setting("/proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
                    "allow user namespaces: `sudo sysctl -w user.max_user_namespaces=15000`"
                } else {
                    "allow unprivileged user namespaces and mounts in them; in a container, run it with a seccomp and \
                     AppArmor profile that lets `unshare` and `mount` pass"
                }
            }
            Self::PrivateProc => {
                "in a container the host's `/proc` is masked, which forbids a new one: run the container with \
                 unmasked paths"
            }
            Self::Overlay => "overlay mounts by users need Linux 5.11 or newer with overlayfs",
            Self::Landlock => {
                "Landlock needs Linux 5.13 or newer (6.2 or newer without namespaces) with `landlock` in the `lsm=` list \
                 of the kernel"
            }
            Self::Copy => "the folder with Kaizen's state must be writable and have room",
            Self::Seccomp => "seccomp needs a kernel with CONFIG_SECCOMP_FILTER",
            Self::ProcessLimit => {
                "before Linux 6.14 the kernel does not limit the processes of root: start Kaizen as an ordinary user"
            }
            Self::Watch => {
                "`/proc` must be mounted without `hidepid`, and the kernel needs CONFIG_PROC_CHILDREN, as the \
                 kernels of the distributions have"
            }
            _ => "use a kernel that has it",
        }
        .to_owned();
        if self.structural(arrangement) {
            help.push_str("; this layer cannot be waived");
        } else {
            help.push_str(&format!("; or waive the layer `{}`, if you accept the risk", self.name()));
        }
        help
    }

    /// The layer as it is reported.
    pub(super) fn report(self, arrangement: Arrangement, state: LayerState, why: Option<&str>) -> Layer {
        let gives = self.gives(arrangement);
        let detail = match (state, why) {
            (LayerState::Active, _) => gives.to_owned(),
            (LayerState::Weaker, why) => format!("{gives}; {}", why.unwrap_or_default()),
            (LayerState::Missing, why) => format!("{}; {}", why.unwrap_or("not tried"), self.way_out(arrangement)),
            (LayerState::Waived, why) => format!("{}; waived", why.unwrap_or("not tried")),
        };
        Layer { name: self.name().to_owned(), state, detail }
    }
}
