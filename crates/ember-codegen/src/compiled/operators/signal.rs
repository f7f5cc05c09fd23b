//! TFLM's signal library and CIRCULAR_BUFFER: what they keep from run to run has a place of its own in the arena.

use ember_micro::Kernel;
use ember_micro::ops::{circular_buffer, signal};

use super::super::constants::Element;
use super::super::step::{Problem, Step};
use super::super::text::broken;

/// A struct of the signal library as a constant.
fn shape(step: &mut Step<'_, '_>, module: &str, value: &impl std::fmt::Debug) -> String {
    let text = format!("signal::{module}::{value:?}");
    let of = text.split(' ').next().unwrap_or_default().to_owned();
    step.parameter("", &of, &text)
}

/// A number that is kept, as a `&mut u32` of this name.
fn count(step: &mut Step<'_, '_>, name: &str) {
    let place = step.kept(name, 4);
    step.statement(format!(
        "let {name} = elements_mut::<u32>({place})?.first_mut().ok_or(KernelError::Parameters)?;"
    ));
}

/// Elements that are kept, as an expression.
fn kept(step: &mut Step<'_, '_>, name: &str, of: Element, elements: u32) -> String {
    let place = step.kept(name, elements as usize * of.bytes());
    format!("elements_mut::<{}>({place})?", of.name())
}

/// An output of an operator with several, in elements.
fn output_at(step: &mut Step<'_, '_>, at: usize, of: Element) -> Result<String, Problem> {
    let output = step.output_at(at)?;
    Ok(format!("elements_mut::<{}>({output})?", of.name()))
}

/// A tensor as complex numbers.
fn complex(name: &str, function: &str, of: Element) -> String {
    format!("{function}::<[{}; 2]>({name})?", of.name())
}

/// CIRCULAR_BUFFER.
pub(in super::super) fn circular_buffer(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<circular_buffer::Int8>()?;
    let text = format!("circular_buffer::{:?}", prepared.shape);
    let shape = step.parameter("", "circular_buffer::CircularBuffer", &text);
    let (input, buffer) = (step.own_input(0, "input")?, step.own_output()?);
    count(step, "runs");
    step.call("circular_buffer::push", &[&shape, "runs", &input, &buffer]);
    Ok(())
}

/// SignalDelay.
pub(in super::super) fn delay(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<signal::delay::Int16>()?;
    let of = prepared.shape;
    let shape = shape(step, "delay", &of);
    let late = kept(step, "late", Element::I16, of.rows * of.delay);
    let (input, output) = (step.own_input(0, "input")?, step.own_output()?);
    step.call("signal::delay::run", &[&shape, &input, &late, &output]);
    Ok(())
}

/// SignalEnergy.
pub(in super::super) fn energy(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (range, _) = step.prepared::<signal::energy::Int16>()?;
    let range = shape(step, "energy", &range);
    let input = step.input(0, "input", Element::U8)?;
    let input = complex(&input, "elements", Element::I16);
    let output = step.own_output()?;
    step.call("signal::energy::run", &[&range, &input, &output]);
    Ok(())
}

/// SignalFftAutoScale.
pub(in super::super) fn fft_auto_scale(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    step.prepared::<signal::fft_auto_scale::Int16>()?;
    let input = step.own_input(0, "input")?;
    let output = output_at(step, 0, Element::I16)?;
    let shift = output_at(step, 1, Element::I32)?;
    step.call("signal::fft_auto_scale::run", &[&input, &output, &shift]);
    Ok(())
}

/// SignalFilterBank.
pub(in super::super) fn filter_bank(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<signal::filter_bank::Uint32>()?;
    const PARTS: [&str; 5] = [
        "weights",
        "unweights",
        "frequency_starts",
        "weight_starts",
        "widths",
    ];
    let mut parts = Vec::new();
    for (name, at) in PARTS.iter().zip(1..) {
        parts.push(format!("{name}: {}", step.own_input(at, name)?));
    }
    let energies = step.own_input(0, "energies")?;
    let output = step.own_output()?;
    let parts = parts.join(", ");
    let bank = format!("let bank = signal::filter_bank::Bank {{ {parts} }}");
    step.statement(format!("{};", broken(&bank, 0, 8)));
    let channels = prepared.channels.to_string();
    step.call(
        "signal::filter_bank::run",
        &[&channels, "&bank", &energies, &output],
    );
    Ok(())
}

/// SignalFilterBankLog.
pub(in super::super) fn filter_bank_log(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (options, _) = step.prepared::<signal::filter_bank_log::Uint32>()?;
    let options = shape(step, "filter_bank_log", &options);
    let (input, output) = (step.own_input(0, "input")?, step.own_output()?);
    step.call("signal::filter_bank_log::run", &[&options, &input, &output]);
    Ok(())
}

/// SignalFilterBankSquareRoot.
pub(in super::super) fn filter_bank_square_root(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    step.prepared::<signal::filter_bank_square_root::Uint64>()?;
    let (input, shift) = (step.own_input(0, "input")?, step.own_input(1, "shift")?);
    let output = step.own_output()?;
    step.call(
        "signal::filter_bank_square_root::run",
        &[&input, &shift, &output],
    );
    Ok(())
}

/// SignalFilterBankSpectralSubtraction.
pub(in super::super) fn filter_bank_spectral_subtraction(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<signal::filter_bank_spectral_subtraction::Uint32>()?;
    let options = prepared.options;
    let shape = shape(step, "filter_bank_spectral_subtraction", &options);
    let estimate = kept(step, "estimate", Element::U32, options.channels);
    let input = step.own_input(0, "input")?;
    let output = output_at(step, 0, Element::U32)?;
    let noise = output_at(step, 1, Element::U32)?;
    let outputs = format!(
        "let outputs = signal::filter_bank_spectral_subtraction::Outputs {{ output: {output}, noise: {noise} }}"
    );
    step.statement(format!("{};", broken(&outputs, 0, 8)));
    step.call(
        "signal::filter_bank_spectral_subtraction::run",
        &[&shape, &input, &estimate, "outputs"],
    );
    Ok(())
}

/// SignalFramer.
pub(in super::super) fn framer(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<signal::framer::Int16>()?;
    let of = prepared.shape;
    let shape = shape(step, "framer", &of);
    framed(step, "signal::framer::run", &shape, of.rows * of.kept)
}

/// SignalStacker.
pub(in super::super) fn stacker(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<signal::stacker::Int16>()?;
    let shape = shape(step, "stacker", &prepared.shape);
    framed(step, "signal::stacker::run", &shape, prepared.elements)
}

/// The call of an operator that keeps a count and samples, and says whether its output is complete.
fn framed(step: &mut Step<'_, '_>, path: &str, shape: &str, samples: u32) -> Result<(), Problem> {
    count(step, "seen");
    let samples = kept(step, "samples", Element::I16, samples);
    let input = step.own_input(0, "input")?;
    let output = output_at(step, 0, Element::I16)?;
    let valid = output_at(step, 1, Element::Bool)?;
    step.call(path, &[shape, "seen", &samples, &input, &output, &valid]);
    Ok(())
}

/// SignalOverlapAdd.
pub(in super::super) fn overlap_add<K: Kernel<Prepared = signal::overlap_add::Prepared>>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<K>()?;
    let of = prepared.shape;
    let shape = shape(step, "overlap_add", &of);
    let sums = kept(step, "sums", step.own_element(0), of.rows * of.size);
    let (input, output) = (step.own_input(0, "input")?, step.own_output()?);
    step.call(
        "signal::overlap_add::run",
        &[&shape, &input, &sums, &output],
    );
    Ok(())
}

/// SignalPCAN.
pub(in super::super) fn pcan(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (options, _) = step.prepared::<signal::pcan::Uint32>()?;
    let options = shape(step, "pcan", &options);
    let (input, noise) = (step.own_input(0, "input")?, step.own_input(1, "noise")?);
    let (gains, output) = (step.own_input(2, "gains")?, step.own_output()?);
    step.call(
        "signal::pcan::run",
        &[&options, &input, &noise, &gains, &output],
    );
    Ok(())
}

/// SignalWindow.
pub(in super::super) fn window(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (options, _) = step.prepared::<signal::window::Int16>()?;
    let options = shape(step, "window", &options);
    let (input, weights) = (step.own_input(0, "input")?, step.own_input(1, "weights")?);
    let output = step.own_output()?;
    step.call(
        "signal::window::run",
        &[&options, &input, &weights, &output],
    );
    Ok(())
}

/// The roots of unity that a transform kept, as a constant.
fn roots(step: &mut Step<'_, '_>, of: Element, words: &[u32]) -> String {
    let name = step.constant_name("ROOTS");
    step.constants.roots(&name, of, words)
}

/// SignalRfft.
pub(in super::super) fn rfft<K: Kernel<Prepared = ember_kernels::signal::rfft::Rfft>>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (of, words) = step.prepared::<K>()?;
    let element = step.own_element(0);
    let shape = shape(step, "rfft", &of);
    let roots = roots(step, element, &words);
    let input = step.own_input(0, "input")?;
    let output = complex(&step.output_bytes()?, "elements_mut", element);
    step.call("signal::rfft::run", &[&shape, &roots, &input, &output]);
    Ok(())
}

/// SignalIrfft.
pub(in super::super) fn irfft<K: Kernel<Prepared = ember_kernels::signal::irfft::Irfft>>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (of, words) = step.prepared::<K>()?;
    let element = step.own_element(0);
    let shape = shape(step, "irfft", &of);
    let roots = roots(step, element, &words);
    let input = step.input(0, "input", Element::U8)?;
    let input = complex(&input, "elements", element);
    let output = complex(&step.output_bytes()?, "elements_mut", element);
    step.call("signal::irfft::run", &[&shape, &roots, &input, &output]);
    Ok(())
}
