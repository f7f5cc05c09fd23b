//! Which debug probes are connected, and which one a person means.

use crate::error::ProbeError;
use probe_rs::probe::DebugProbeSelector;
use probe_rs::probe::list::{Accessibility, Lister, ProbeListItem};
use serde::Serialize;

/// A debug probe that is connected to this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What the probe calls itself, such as `STLink V2-1`.
    pub name: String,
    /// What chooses it: `VID:PID[-INTERFACE][:SERIAL]`, the numbers hexadecimal.
    pub selector: String,
    /// The driver that will speak to it, such as `ST-LINK`.
    pub driver: String,
    /// Whether this user may open it.
    pub accessible: bool,
}

impl From<&ProbeListItem> for Found {
    fn from(item: &ProbeListItem) -> Self {
        Self {
            name: item.info.identifier.clone(),
            selector: DebugProbeSelector::from(&item.info).to_string(),
            driver: item.info.probe_type(),
            accessible: item.accessibility == Accessibility::Accessible,
        }
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {} ({})", self.selector, self.name, self.driver)?;
        if !self.accessible {
            write!(f, ", which this user may not open")?;
        }
        Ok(())
    }
}

/// The probes that are connected, in the order of their selectors.
#[must_use]
pub fn list(lister: &Lister) -> Vec<Found> {
    selected(lister, None)
}

fn selected(lister: &Lister, wanted: Option<&DebugProbeSelector>) -> Vec<Found> {
    let mut found: Vec<_> = lister
        .list_with_access(wanted)
        .iter()
        .map(Found::from)
        .collect();
    found.sort_by(|a, b| a.selector.cmp(&b.selector));
    found.dedup();
    found
}

/// The probe that is meant: the one that `asked` selects, or the only one. A probe that no list shows, such as one behind a
/// network address, can be asked for too.
///
/// # Errors
/// As [`choose`].
pub fn find(lister: &Lister, asked: Option<&str>) -> Result<Found, ProbeError> {
    let mut found = list(lister);
    if let Some(asked) = asked {
        let wanted = selector(asked)?;
        if !found.iter().any(|probe| selects(&wanted, probe)) {
            found.extend(selected(lister, Some(&wanted)));
        }
    }
    choose(&found, asked).cloned()
}

fn selector(text: &str) -> Result<DebugProbeSelector, ProbeError> {
    text.parse().map_err(|_| ProbeError::Selector {
        text: text.to_owned(),
    })
}

/// The probe of `found` that is meant: the one that `asked` selects, or the only one.
///
/// # Errors
/// [`ProbeError::NoProbe`], [`ProbeError::Selector`], [`ProbeError::NotConnected`], [`ProbeError::SeveralProbes`],
/// [`ProbeError::NoAccess`].
pub fn choose<'a>(found: &'a [Found], asked: Option<&str>) -> Result<&'a Found, ProbeError> {
    let wanted = asked.map(selector).transpose()?;
    let meant: Vec<_> = found
        .iter()
        .filter(|probe| wanted.as_ref().is_none_or(|wanted| selects(wanted, probe)))
        .collect();
    match (meant.as_slice(), wanted) {
        ([probe], _) if !probe.accessible => Err(ProbeError::NoAccess {
            probe: probe.to_string(),
        }),
        ([probe], _) => Ok(probe),
        ([], None) => Err(ProbeError::NoProbe),
        ([], Some(wanted)) => Err(ProbeError::NotConnected {
            asked: wanted.to_string(),
            connected: lines(found),
        }),
        (several, _) => Err(ProbeError::SeveralProbes {
            connected: lines(several.iter().copied()),
            example: several[0].selector.clone(),
        }),
    }
}

/// Whether `wanted`, whose interface and serial number may be left out, selects `probe`.
fn selects(wanted: &DebugProbeSelector, probe: &Found) -> bool {
    let Ok(whole) = probe.selector.parse::<DebugProbeSelector>() else {
        return false;
    };
    whole.vendor_id == wanted.vendor_id
        && whole.product_id == wanted.product_id
        && (wanted.interface.is_none() || wanted.interface == whole.interface)
        && match (&wanted.serial_number, &whole.serial_number) {
            (None, _) => true,
            (Some(wanted), Some(serial)) => wanted.eq_ignore_ascii_case(serial),
            (Some(wanted), None) => wanted.is_empty(),
        }
}

fn lines<'a>(probes: impl IntoIterator<Item = &'a Found>) -> String {
    probes
        .into_iter()
        .map(|probe| format!("\n  {probe}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Found, choose};
    use crate::error::ProbeError;

    fn probe(name: &str, selector: &str) -> Found {
        Found {
            name: name.into(),
            selector: selector.into(),
            driver: "CMSIS-DAP".into(),
            accessible: true,
        }
    }

    #[test]
    fn the_only_probe_needs_no_name() {
        let found = [probe("STLink V2-1", "0483:374b:066D")];
        assert_eq!(choose(&found, None).unwrap(), &found[0]);
    }

    #[test]
    fn of_several_one_must_be_named() {
        let found = [
            probe("STLink V2-1", "0483:374b:066D"),
            probe("Debug Probe", "2e8a:000c:E66164"),
            probe("Debug Probe", "2e8a:000c:E66165"),
        ];
        let error = choose(&found, None).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let text = error.to_string();
        for probe in &found {
            assert!(text.contains(&probe.selector), "{text}");
        }
        assert_eq!(choose(&found, Some("0483:374B")).unwrap(), &found[0]);
        assert_eq!(choose(&found, Some("2e8a:c:e66165")).unwrap(), &found[2]);
        // The same product twice: only those are offered.
        let text = choose(&found, Some("2e8a:000c")).unwrap_err().to_string();
        assert!(!text.contains("066D"), "{text}");
        assert!(text.contains("E66164") && text.contains("E66165"), "{text}");
    }

    #[test]
    fn an_interface_tells_two_ports_of_one_probe_apart() {
        let found = [
            probe("Dual RS232-HS", "0403:6010-0:FT1"),
            probe("Dual RS232-HS", "0403:6010-1:FT1"),
        ];
        assert_eq!(choose(&found, Some("0403:6010-1")).unwrap(), &found[1]);
        assert!(matches!(
            choose(&found, Some("0403:6010:FT1")),
            Err(ProbeError::SeveralProbes { .. })
        ));
    }

    #[test]
    fn no_probe_is_said_with_what_to_check() {
        let error = choose(&[], None).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("cable"), "{error}");
        if cfg!(target_os = "linux") {
            assert!(error.to_string().contains("CMSIS-DAP"), "{error}");
        }
    }

    #[test]
    fn a_probe_that_is_not_there_is_an_error_that_lists_those_that_are() {
        let found = [probe("J-Link", "1366:0105:000123")];
        let error = choose(&found, Some("0483:374b")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("1366:0105:000123"), "{error}");
        let error = choose(&[], Some("0483:374b")).unwrap_err();
        assert!(
            error.to_string().contains("no probe is connected"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_selector_is_told_the_form() {
        for text in ["", "stlink", "0483", "0483:xyz", "12345:1"] {
            let error = choose(&[], Some(text)).unwrap_err();
            assert_eq!(error.exit_code(), 1);
            assert!(error.to_string().contains("VID:PID"), "{error}");
        }
    }

    #[test]
    fn a_probe_that_may_not_be_opened_is_said_with_the_rule() {
        let mut found = [probe("J-Link", "1366:0105:000123")];
        found[0].accessible = false;
        let error = choose(&found, None).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        assert!(text.contains("1366:0105:000123"), "{text}");
        if cfg!(target_os = "linux") {
            assert!(text.contains("udevadm"), "{text}");
        }
    }
}
