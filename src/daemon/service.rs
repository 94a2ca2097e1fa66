//! The daemon as a service of systemd: what it tells its manager, and the unit that `kaizen daemon install` writes.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Tells the service manager something (`sd_notify`); without one, nobody.
pub(crate) fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let Ok(socket) = UnixDatagram::unbound() else { return };
    let text = path.to_string_lossy().into_owned();
    // Nobody listening is no reason to stop.
    let _ = match text.strip_prefix('@') {
        Some(name) => abstract_address(name).and_then(|address| socket.send_to_addr(state.as_bytes(), &address)),
        None => socket.send_to(state.as_bytes(), &path),
    };
}

fn abstract_address(name: &str) -> std::io::Result<std::os::unix::net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    std::os::unix::net::SocketAddr::from_abstract_name(name.as_bytes())
}

/// What a unit is written for.
pub(crate) struct Unit {
    /// The program.
    pub program: PathBuf,
    /// The settings file.
    pub settings: PathBuf,
    /// Where state is kept.
    pub state_dir: PathBuf,
    /// The repositories.
    pub repositories: Vec<PathBuf>,
    /// For the whole machine, and for which user.
    pub system_user: Option<String>,
    /// What rustup and cargo need: their folders.
    pub toolchain: Vec<PathBuf>,
    /// The search path.
    pub path: String,
}

impl Unit {
    /// The text of the unit.
    ///
    /// # Errors
    /// When a path cannot stand in a unit.
    pub fn text(&self) -> Result<String, Failure> {
        let mut writable = vec![self.state_dir.clone()];
        writable.extend(self.repositories.iter().cloned());
        writable.extend(self.toolchain.iter().cloned());
        let writable: Vec<String> = writable.iter().map(|path| quoted(path)).collect::<Result<_, _>>()?;
        let user = match &self.system_user {
            Some(user) => format!("User={user}\n"),
            None => String::new(),
        };
        let target = if self.system_user.is_some() { "multi-user.target" } else { "default.target" };
        Ok(format!(
            "# Written by `kaizen daemon install`.\n\
             [Unit]\n\
             Description=Kaizen, an autonomous maintainer for Rust repositories\n\
             After=network-online.target\n\
             Wants=network-online.target\n\n\
             [Service]\n\
             Type=notify\n\
             NotifyAccess=main\n\
             {user}\
             ExecStart={} daemon --settings {} --state-dir {}\n\
             ExecReload=/bin/kill -HUP $MAINPID\n\
             Environment=\"PATH={}\"\n\
             Restart=on-failure\n\
             RestartSec=5\n\
             WatchdogSec=60\n\
             TimeoutStopSec=20\n\
             KillMode=mixed\n\n\
             # The sandbox makes namespaces and mounts of its own, so these stay allowed; everything else is closed.\n\
             NoNewPrivileges=yes\n\
             ProtectSystem=strict\n\
             ProtectHome=read-only\n\
             ReadWritePaths={}\n\
             PrivateDevices=yes\n\
             ProtectClock=yes\n\
             ProtectHostname=yes\n\
             ProtectKernelLogs=yes\n\
             ProtectKernelModules=yes\n\
             LockPersonality=yes\n\
             RestrictRealtime=yes\n\
             RestrictSUIDSGID=yes\n\
             RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n\
             SystemCallArchitectures=native\n\
             UMask=0077\n\
             LimitNOFILE=8192\n\
             Delegate=memory pids\n\n\
             [Install]\n\
             WantedBy={target}\n",
            quoted(&self.program)?,
            quoted(&self.settings)?,
            quoted(&self.state_dir)?,
            self.path.replace(['"', '\n'], ""),
            writable.join(" "),
        ))
    }

    /// Where the unit belongs.
    ///
    /// # Errors
    /// When there is no home.
    pub fn place(&self) -> Result<PathBuf, Failure> {
        if self.system_user.is_some() {
            return Ok(PathBuf::from("/etc/systemd/system/kaizen.service"));
        }
        let config = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".config")));
        config
            .map(|dir| dir.join("systemd/user/kaizen.service"))
            .ok_or_else(|| Failure::input("there is no place for a unit", "set HOME, or use `--print`"))
    }
}

/// A path as a unit spells it: `%` begins a specifier there, and quotes hold spaces together.
fn quoted(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.chars().any(|c| c.is_control() || c == '"' || c == '\\'));
    let text = text.ok_or_else(|| {
        Failure::input(
            format!("{} cannot stand in a unit of systemd", path.display()),
            "use a path without quotes and control characters",
        )
    })?;
    let text = text.replace('%', "%%").replace('$', "$$");
    Ok(if text.contains(' ') { format!("\"{text}\"") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> Unit {
        Unit {
            program: "/usr/local/bin/kaizen".into(),
            settings: "/home/a b/kaizen.toml".into(),
            state_dir: "/var/lib/kaizen".into(),
            repositories: vec!["/srv/100%".into()],
            system_user: None,
            toolchain: vec!["/home/x/.cargo".into()],
            path: "/usr/bin:/bin".to_owned(),
        }
    }

    #[test]
    fn a_unit_names_what_may_be_written() {
        let text = unit().text().unwrap();
        assert!(text.contains("ExecStart=/usr/local/bin/kaizen daemon --settings \"/home/a b/kaizen.toml\" --state-dir /var/lib/kaizen\n"), "{text}");
        assert!(text.contains("ReadWritePaths=/var/lib/kaizen /srv/100%% /home/x/.cargo\n"), "{text}");
        assert!(text.contains("WantedBy=default.target") && !text.contains("User="));
    }

    #[test]
    fn a_path_that_would_end_its_line_is_refused() {
        let unit = Unit { settings: "/x\nExecStartPre=/bin/evil".into(), ..unit() };
        assert!(unit.text().is_err());
    }
}
