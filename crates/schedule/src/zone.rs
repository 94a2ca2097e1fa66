//! Time zones by name, from the database that is part of the program: the same answer on every machine.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::nearest::nearest;

/// The time zone of that name, or the name that was probably meant. `local` is the machine's own, which only a caller
/// can find out.
pub(crate) fn find(name: &str, local: &TimeZone) -> Result<TimeZone, Option<String>> {
    match name {
        "local" => return Ok(local.clone()),
        "UTC" => return Ok(TimeZone::UTC),
        _ => {}
    }
    let known = TimeZoneDatabase::bundled();
    known.get(name).map_err(|_| {
        let names: Vec<String> = known.available().map(|name| name.as_str().to_owned()).collect();
        nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_without_the_machine_s_database() {
        let local = TimeZone::fixed(jiff::tz::offset(3));
        assert_eq!(find("local", &local), Ok(local.clone()));
        assert_eq!(find("UTC", &local), Ok(TimeZone::UTC));
        for name in ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"] {
            assert_eq!(find(name, &local).unwrap().iana_name(), Some(name));
        }
        assert_eq!(find("Europe/Berln", &local).unwrap_err().as_deref(), Some("Europe/Berlin"));
        assert_eq!(find("qqqqqqqqq", &local).unwrap_err(), None);
    }
}
