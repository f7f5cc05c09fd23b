//! Every case on every runtime. The tests are made when the program starts: one per runtime and operator with goldens,
//! one per runtime and folder of whole models.
//!
//! Without `EMBER_CASES_DIR` the whole models are shown as one ignored test per runtime, which says so.

use ember_testkit::runtime::Runtime;
use ember_testkit::{expectations, folder, golden, runtimes, suite};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for runtime in runtimes::ALL.iter().copied() {
        for operator in golden::operators() {
            let name = format!("{}::op::{operator}", runtime.name());
            trials.push(Trial::test(name, move || check_operator(runtime, operator)));
        }
        match folder::root() {
            Some(root) => trials.extend(model_trials(runtime, &root)),
            None => trials.push(missing_models(runtime)),
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn check_operator(runtime: &dyn Runtime, operator: &str) -> Result<(), Failed> {
    let mut faults = Vec::new();
    for case in golden::cases(operator)? {
        let listed = expectations::GOLDENS_NOT_YET
            .iter()
            .find(|entry| entry.case == case.name);
        let result = match listed {
            Some(entry) => suite::check_refused(runtime, &case, entry),
            None => suite::check(runtime, &case),
        };
        faults.extend(result.err());
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("{} cases fail:\n{}", faults.len(), faults.join("\n")).into())
}

fn model_trials(runtime: &'static dyn Runtime, root: &Path) -> Vec<Trial> {
    let listing = format!("{}::models", runtime.name());
    let names = match folder::names(root) {
        Ok(names) if !names.is_empty() => names,
        Ok(_) => {
            let text = format!(
                "{} is {}, which has no case folder",
                folder::VARIABLE,
                root.display()
            );
            return vec![Trial::test(listing, move || Err(text.into()))];
        }
        Err(error) => return vec![Trial::test(listing, move || Err(error.into()))],
    };
    names
        .into_iter()
        .map(|name| {
            let root = root.to_owned();
            Trial::test(format!("{listing}::{name}"), move || {
                check_model(runtime, root, &name)
            })
        })
        .collect()
}

fn check_model(runtime: &dyn Runtime, root: PathBuf, name: &str) -> Result<(), Failed> {
    let case = folder::case(&root, name)?;
    let listed = expectations::MODELS_NOT_YET
        .iter()
        .find(|entry| entry.case == name);
    match listed {
        Some(entry) => suite::check_refused(runtime, &case, entry)?,
        None => suite::check(runtime, &case)?,
    }
    Ok(())
}

fn missing_models(runtime: &dyn Runtime) -> Trial {
    let name = format!(
        "{}::models::{}_is_not_set",
        runtime.name(),
        folder::VARIABLE
    );
    let run = || Err(format!("set {} to the folder of case folders", folder::VARIABLE).into());
    Trial::test(name, run).with_ignored_flag(true)
}
