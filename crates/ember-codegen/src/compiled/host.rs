//! Compiled models on a host: a cargo project around their sources, built and run.
//!
//! This is how a compiled model is evaluated before it is on a chip: the same source, the same kernels. The program reads
//! inputs from its standard input, one image after the other, and writes the outputs.

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::CodegenError;

/// The name of the project and of its program.
const NAME: &str = "compiled-models";

/// A built program that has one or several models.
#[derive(Clone, Debug)]
pub struct HostProgram {
    path: PathBuf,
}

impl HostProgram {
    /// Writes a project to `folder` and builds it. `models` are names, of letters, digits and underscores, and sources of
    /// [`source`](super::source); `workspace` is where the crates of this repository are. What was built stays in `folder`, so
    /// that the next build there is short.
    ///
    /// # Errors
    /// [`CodegenError::Host`] when a file cannot be written or the compiler refuses.
    pub fn build(
        folder: &Path,
        workspace: &Path,
        models: &[(&str, &str)],
        offline: bool,
    ) -> Result<Self, CodegenError> {
        write_project(folder, workspace, models)?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let target = folder.join("target");
        let mut command = Command::new(cargo);
        command
            .args(["build", "--release", "--quiet"])
            .args(offline.then_some("--offline"))
            .arg("--target-dir")
            .arg(&target)
            .current_dir(folder)
            // Flags of the user's environment may be for another machine.
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null());
        let output = command
            .output()
            .map_err(|error| failed("start cargo", folder, error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(failed("build", folder, said));
        }
        let path = target
            .join("release")
            .join(NAME)
            .with_extension(std::env::consts::EXE_EXTENSION);
        Ok(Self { path })
    }

    /// The program's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a model on inputs that follow each other, each as many bytes as all inputs of the model have, and gives the
    /// outputs in the same manner.
    ///
    /// # Errors
    /// [`CodegenError::Host`] when the program does not start or says why it stopped.
    pub fn run(&self, model: &str, inputs: &[u8]) -> Result<Vec<u8>, CodegenError> {
        let mut child = Command::new(&self.path)
            .arg(model)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed("start", &self.path, error))?;
        let mut outputs = Vec::new();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        // Both at once: either may have to wait for the other.
        let read = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A program that stopped before the end says why by itself.
                let _ = stdin.map(|mut stdin| stdin.write_all(inputs));
            });
            stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut outputs))
        });
        read.map_err(|error| failed("read from", &self.path, error))?;
        let output = child.wait_with_output();
        let output = output.map_err(|error| failed("wait for", &self.path, error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(failed("run", &self.path, said));
        }
        Ok(outputs)
    }
}

fn failed(what: &'static str, path: &Path, problem: impl ToString) -> CodegenError {
    CodegenError::Host {
        what,
        path: path.to_owned(),
        problem: problem.to_string(),
    }
}

fn write_project(
    folder: &Path,
    workspace: &Path,
    models: &[(&str, &str)],
) -> Result<(), CodegenError> {
    let sources = folder.join("src");
    fs::create_dir_all(&sources).map_err(|error| failed("make", &sources, error))?;
    let workspace =
        std::path::absolute(workspace).map_err(|error| failed("find", workspace, error))?;
    // What the workspace has locked, so that nothing newer is looked for.
    let (lock, own_lock) = (workspace.join("Cargo.lock"), folder.join("Cargo.lock"));
    let lock = fs::read_to_string(&lock).map_err(|error| failed("read", &lock, error))?;
    if !own_lock.exists() {
        write(&own_lock, &lock)?;
    }
    let kernels = workspace.join("crates").join("ember-kernels");
    write(
        &folder.join("Cargo.toml"),
        &format!(
            "[package]\nname = \"{NAME}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nember-kernels = {{ path = {kernels:?} }}\n\n\
             [profile.release]\ndebug = 0\n# A model's own code is calls; the work is in what they call.\nopt-level = 1\n\n\
             [profile.release.package.\"*\"]\nopt-level = 3\n\n[workspace]\n"
        ),
    )?;
    let mut modules = String::new();
    let mut implementations = String::new();
    let mut rows = String::new();
    for (name, source) in models {
        write(&sources.join(format!("{name}.rs")), source)?;
        modules += &format!("#[allow(dead_code)]\nmod {name};\n");
        rows += &format!("    (\"{name}\", open::<{name}::Model>, {name}::INPUT_BYTES),\n");
        implementations += &format!("served!({name});\n");
    }
    let main = MAIN
        .replace("// modules\n", &modules)
        .replace("// implementations\n", &implementations)
        .replace("    // rows\n", &rows);
    write(&sources.join("main.rs"), &main)
}

/// Writes a file that has changed: cargo builds again what is newer than its program.
fn write(path: &Path, text: &str) -> Result<(), CodegenError> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(|error| failed("write", path, error))
}

/// The program. What serves a model is there once for all of them.
const MAIN: &str = r#"//! Runs compiled models: inputs on standard input, outputs on standard output.

// modules
use std::io::{self, Read, Write};
use std::process::ExitCode;

trait Compiled {
    fn input(&mut self, index: usize) -> Option<&mut [u8]>;
    fn output(&self, index: usize) -> Option<&[u8]>;
    fn invoke(&mut self) -> Result<(), String>;
}

macro_rules! served {
    ($model:ident) => {
        impl Compiled for $model::Model {
            fn input(&mut self, index: usize) -> Option<&mut [u8]> {
                self.input(index)
            }

            fn output(&self, index: usize) -> Option<&[u8]> {
                self.output(index)
            }

            fn invoke(&mut self) -> Result<(), String> {
                match self.invoke() {
                    Err(error) if !error.waits() => Err(error.to_string()),
                    _ => Ok(()),
                }
            }
        }
    };
}

// implementations

fn open<M: Compiled + Default + 'static>() -> Box<dyn Compiled> {
    Box::new(M::default())
}

/// A name, the model with that name, and the bytes of its inputs.
type Row = (&'static str, fn() -> Box<dyn Compiled>, usize);

static MODELS: &[Row] = &[
    // rows
];

fn serve(model: &mut dyn Compiled, input_bytes: usize) -> Result<(), String> {
    let mut record = vec![0; input_bytes];
    let (mut input, mut output) = (io::stdin().lock(), io::BufWriter::new(io::stdout().lock()));
    loop {
        match fill(&mut input, &mut record)? {
            Filled::Whole => {}
            Filled::Nothing => break,
            Filled::Part(bytes) => {
                return Err(format!("the last image has {bytes} bytes instead of {input_bytes}"));
            }
        }
        let mut rest = &record[..];
        let mut index = 0;
        while let Some(bytes) = model.input(index) {
            let (now, later) = rest.split_at(bytes.len());
            bytes.copy_from_slice(now);
            (rest, index) = (later, index + 1);
        }
        model.invoke()?;
        index = 0;
        while let Some(bytes) = model.output(index) {
            output.write_all(bytes).map_err(|error| error.to_string())?;
            index += 1;
        }
        if record.is_empty() {
            break;
        }
    }
    output.flush().map_err(|error| error.to_string())
}

enum Filled {
    Whole,
    Part(usize),
    Nothing,
}

fn fill(input: &mut impl Read, record: &mut [u8]) -> Result<Filled, String> {
    let mut filled = 0;
    while filled < record.len() {
        match input.read(&mut record[filled..]) {
            Ok(0) if filled == 0 => return Ok(Filled::Nothing),
            Ok(0) => return Ok(Filled::Part(filled)),
            Ok(bytes) => filled += bytes,
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(Filled::Whole)
}

fn run(name: Option<&str>) -> Result<(), String> {
    let found = MODELS.iter().find(|(own, ..)| Some(*own) == name);
    let (_, open, input_bytes) = found.ok_or_else(|| format!("there is no model {name:?}"))?;
    serve(&mut *open(), *input_bytes)
}

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
"#;
