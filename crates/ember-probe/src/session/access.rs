//! What a system wants before it lets a person who is not root open a debug probe.

use std::fmt::Write as _;

/// Where the rule goes on Linux. Its number sorts before systemd's `73-seat-late.rules`, which gives the devices that
/// are tagged `uaccess` to whoever sits at the machine.
pub const RULE_FILE: &str = "/etc/udev/rules.d/69-ember-probes.rules";

/// What makes udev read the rules again and apply them.
pub const RELOAD: &str = "sudo udevadm control --reload && sudo udevadm trigger";

/// Probes that one line of the rule opens.
struct Family {
    name: &'static str,
    /// What udev compares, but for the subsystem.
    matches: &'static str,
    /// Whether the probe may be a HID device, which has a device file of its own.
    hid: bool,
}

/// The makers' USB identities: ST's is 0483 with products 37xx for every ST-LINK; SEGGER has 1366 for itself;
/// CMSIS-DAP probes have no common number, but the specification wants the letters `CMSIS-DAP` in the product's name.
const FAMILIES: &[Family] = &[
    Family {
        name: "CMSIS-DAP",
        matches: r#"ATTRS{product}=="*CMSIS-DAP*""#,
        hid: true,
    },
    Family {
        name: "ST-LINK",
        matches: r#"ATTRS{idVendor}=="0483", ATTRS{idProduct}=="37*""#,
        hid: false,
    },
    Family {
        name: "J-Link",
        matches: r#"ATTRS{idVendor}=="1366""#,
        hid: false,
    },
    Family {
        name: "WCH-Link",
        matches: r#"ATTRS{idVendor}=="1a86", ATTRS{idProduct}=="801*""#,
        hid: false,
    },
];

/// The udev rule that lets whoever sits at the machine open the common probes.
#[must_use]
pub fn udev_rule() -> String {
    let mut rule = String::new();
    for family in FAMILIES {
        let subsystems = if family.hid { "usb|hidraw" } else { "usb" };
        let _ = writeln!(
            rule,
            "# {}\nSUBSYSTEM==\"{subsystems}\", {}, MODE=\"0660\", TAG+=\"uaccess\"",
            family.name, family.matches
        );
    }
    rule
}

/// How this user gets access to probes here: an item of a list of what to check.
#[must_use]
pub fn advice() -> String {
    advice_for(std::env::consts::OS)
}

fn advice_for(os: &str) -> String {
    match os {
        "linux" => format!(
            "- this user may open the probe: put these lines into {RULE_FILE}\n\n{}\nthen run `{RELOAD}` and plug the \
             probe in again. Where nobody sits at the machine (ssh), write MODE=\"0666\" instead.",
            indented(&udev_rule())
        ),
        "windows" => {
            "- the probe has its driver: ST-LINK needs ST's STSW-LINK009; a J-Link needs WinUSB (Zadig installs it)."
                .to_owned()
        }
        _ => "- no other program (an IDE, a GDB server) holds the probe.".to_owned(),
    }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "    {line}");
        all
    })
}

#[cfg(test)]
mod tests {
    use super::{RULE_FILE, advice_for, udev_rule};

    #[test]
    fn every_line_of_the_rule_compares_and_then_assigns() {
        let rule = udev_rule();
        let lines: Vec<_> = rule.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.len(), super::FAMILIES.len());
        for line in lines {
            let terms: Vec<_> = line.split(", ").collect();
            let assigns = terms.iter().position(|term| !term.contains("==")).unwrap();
            assert!(terms[assigns..].iter().all(|term| !term.contains("==")));
            assert_eq!(terms[assigns..], ["MODE=\"0660\"", "TAG+=\"uaccess\""]);
            for term in terms {
                assert_eq!(term.matches('"').count(), 2, "{term}");
            }
        }
    }

    #[test]
    fn linux_is_told_the_file_and_the_text() {
        let advice = advice_for("linux");
        assert!(advice.contains(RULE_FILE));
        for line in udev_rule().lines() {
            assert!(advice.contains(line));
        }
        assert!(!advice_for("macos").contains("udev"));
    }
}
