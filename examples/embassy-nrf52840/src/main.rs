//! Somebody else's firmware: images of digits come in over a serial line, digits go out, and a light blinks meanwhile.

#![no_std]
#![no_main]

mod classifier;

use defmt::{error, info, unwrap};
use defmt_rtt as _;
use embassy_executor::Spawner;
use embassy_nrf::gpio::{Level, Output, OutputDrive};
use embassy_nrf::{bind_interrupts, peripherals, uarte};
use embassy_time::{Instant, Timer};
use panic_probe as _;

bind_interrupts!(struct Irqs {
    UARTE0 => uarte::InterruptHandler<peripherals::UARTE0>;
});

/// The light, at the pace of a heart.
#[embassy_executor::task]
async fn blink(mut led: Output<'static>) {
    loop {
        led.toggle();
        Timer::after_millis(500).await;
    }
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let chip = embassy_nrf::init(Default::default());
    let led = Output::new(chip.P0_13, Level::High, OutputDrive::Standard);
    spawner.spawn(unwrap!(blink(led)));
    // 115,200 baud, 8 bits, no parity; on the nRF52840 DK the debug probe carries it as a serial port.
    let mut serial = uarte::Uarte::new(
        chip.UARTE0,
        chip.P0_08,
        chip.P0_06,
        Irqs,
        Default::default(),
    );

    let mut memory = classifier::Memory::new();
    let Some(mut model) = classifier::prepare(&mut memory) else {
        error!("the model does not fit: another one was put in its place");
        return;
    };
    info!("{} bytes of arena", model.arena_bytes_used());
    let mut image: classifier::Image = [0; _];
    loop {
        if let Err(fault) = serial.read(&mut image).await {
            error!("serial line: {}", fault);
            continue;
        }
        let start = Instant::now();
        let Some(digit) = classifier::classify(&mut model, &image) else {
            error!("the model did not run");
            continue;
        };
        info!("{} after {} us", digit, start.elapsed().as_micros());
        // The chip's DMA reads RAM only.
        let answer = [b'0' + digit, b'\r', b'\n'];
        if let Err(fault) = serial.write(&answer).await {
            error!("serial line: {}", fault);
        }
    }
}
