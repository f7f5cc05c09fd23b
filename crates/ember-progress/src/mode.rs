//! What the terminal and the environment allow: bars or plain lines, colour or none.

use std::io::IsTerminal;

/// How a [`Console`](crate::Console) writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Only errors, results and notices are written.
    pub quiet: bool,
    /// Bars are redrawn in place; otherwise progress is plain lines.
    pub interactive: bool,
    /// ANSI colours are written to stderr.
    pub color: bool,
}

impl Mode {
    /// The mode for this process: its stderr and its environment.
    #[must_use]
    pub fn of_process(quiet: bool) -> Self {
        Self::resolve(quiet, std::io::stderr().is_terminal(), |name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    /// The mode for a stderr that is a terminal or not, and for the variables that `variable` looks up.
    ///
    /// `NO_COLOR` (not empty) switches colour off and wins over everything (no-color.org); `CLICOLOR_FORCE` (not `0`)
    /// switches it on even without a terminal; `CLICOLOR=0` switches it off (bixense.com/clicolors). `TERM=dumb` can
    /// neither move the cursor nor show colour.
    #[must_use]
    pub fn resolve(
        quiet: bool,
        stderr_is_terminal: bool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        let forced = is_set("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE").as_deref() != Some("0");
        let refused = variable("CLICOLOR").as_deref() == Some("0");
        let capable = stderr_is_terminal && !dumb;
        Self {
            quiet,
            interactive: capable && !quiet,
            color: !is_set("NO_COLOR") && (forced || (capable && !refused)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mode;

    fn resolve(terminal: bool, variables: &[(&str, &str)]) -> Mode {
        Mode::resolve(false, terminal, |name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_terminal_gets_bars_and_colour() {
        let mode = resolve(true, &[("TERM", "xterm-256color")]);
        assert!(mode.interactive && mode.color);
    }

    #[test]
    fn a_pipe_gets_plain_lines() {
        let mode = resolve(false, &[("TERM", "xterm-256color")]);
        assert!(!mode.interactive && !mode.color);
    }

    #[test]
    fn a_dumb_terminal_gets_plain_lines() {
        let mode = resolve(true, &[("TERM", "dumb")]);
        assert!(!mode.interactive && !mode.color);
    }

    #[test]
    fn no_color_keeps_the_bars() {
        let mode = resolve(true, &[("NO_COLOR", "1")]);
        assert!(mode.interactive && !mode.color);
        assert!(
            resolve(true, &[("NO_COLOR", "")]).color,
            "empty counts as not set"
        );
    }

    #[test]
    fn clicolor_switches_colour_off_and_force_switches_it_on() {
        assert!(!resolve(true, &[("CLICOLOR", "0")]).color);
        assert!(resolve(true, &[("CLICOLOR", "1")]).color);
        let forced = resolve(false, &[("CLICOLOR_FORCE", "1")]);
        assert!(forced.color && !forced.interactive);
        assert!(!resolve(false, &[("CLICOLOR_FORCE", "0")]).color);
        assert!(!resolve(false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).color);
    }

    #[test]
    fn quiet_has_no_bars() {
        let mode = Mode::resolve(true, true, |_| None);
        assert!(mode.quiet && !mode.interactive);
    }
}
