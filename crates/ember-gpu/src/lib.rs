//! Float operators on a GPU, as a delegate of `ember-lite`.
//!
//! The operators are Burn's, on its wgpu backend: Vulkan, Metal or DirectX 12, whichever the system has. A software driver
//! such as Mesa's lavapipe does, too. [`Gpu::open`] finds the adapter; the delegate takes the float32 operators of the usual
//! networks and leaves the rest to the interpreter, each with a reason.
//!
//! Results are near the interpreter's floats, not equal to the byte: a GPU adds up in another order. Each element of a
//! partition's output is within 1e-4 of the interpreter's, as a fraction of the output's greatest magnitude or of 1 where that
//! is less; `tests/gpu` holds that. Nothing is promised of NaN and infinities.
//!
//! ```no_run
//! use ember_gpu::Gpu;
//! use ember_lite::MappedModel;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let gpu = Gpu::open()?;
//! let model = MappedModel::open("model.tflite".as_ref())?.delegated(&[&gpu])?;
//! let mut arena = model.arena()?;
//! let scores = model.session(&mut arena)?.run_real(&[0.5; 784])?;
//! # Ok(())
//! # }
//! ```

mod lower;
mod run;
mod step;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use burn_tensor::Device;
use burn_tensor::wgpu::WgpuBackend;
use ember_lite::{Compiled, Delegate, Node, Partition};

use crate::run::Program;

/// Why there is no GPU.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "there is no GPU to run on: {0}; install a driver, such as mesa-vulkan-drivers for a software one, or do without --delegate gpu"
)]
pub struct NoGpu(String);

/// A GPU, as a delegate.
#[derive(Clone)]
pub struct Gpu {
    device: Device,
    adapter: String,
}

impl Gpu {
    /// The adapter that wgpu thinks best, a real GPU before a software driver; `CUBECL_WGPU_DEFAULT_DEVICE` in the environment
    /// names another. All calls of a process give the same one.
    ///
    /// # Errors
    ///
    /// No adapter, or one that cannot be used.
    pub fn open() -> Result<Gpu, NoGpu> {
        static OPENED: OnceLock<Result<Gpu, NoGpu>> = OnceLock::new();
        OPENED.get_or_init(Gpu::find).clone()
    }

    fn find() -> Result<Gpu, NoGpu> {
        let options = Device::wgpu_options();
        // Elsewhere the system has an API of its own. On Linux there would still be OpenGL, often in software and without all
        // that the kernels need, when what is missing is a driver for Vulkan.
        let options = match cfg!(target_os = "linux") {
            true => options.graphics_api(WgpuBackend::Vulkan),
            false => options,
        };
        let device = options.init();
        let device = device.map_err(|error| NoGpu(error.to_string()))?;
        let adapter = device.identity().map(|identity| identity.name);
        Ok(Gpu {
            device,
            adapter: adapter.unwrap_or_else(|| "a GPU without a name".to_owned()),
        })
    }

    /// What the adapter calls itself.
    #[must_use]
    pub fn adapter(&self) -> &str {
        &self.adapter
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gpu")
            .field("adapter", &self.adapter)
            .finish_non_exhaustive()
    }
}

impl Delegate for Gpu {
    fn name(&self) -> &str {
        "gpu"
    }

    fn takes(&self, node: &Node<'_>) -> Result<(), String> {
        lower::step(node).map(drop).map_err(Into::into)
    }

    /// Uploads the constants, and runs the partition once, so that its shaders are compiled.
    fn compile(&self, partition: &Partition<'_>) -> Result<Box<dyn Compiled>, String> {
        caught(|| Ok(Box::new(Program::new(&self.device, partition)?) as Box<dyn Compiled>))
    }
}

/// What `work` gives; where Burn panics, which is how it reports a lost device or a shader that does not compile, what it said.
fn caught<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!(
            "the GPU failed: {}",
            said.unwrap_or("it did not say why")
        ))
    })
}
