//! SysTick, counting emulated time: one tick is a fixed number of instructions.
//!
//! Registers are those of the Armv7-M Architecture Reference Manual, B3.3. The counter stands still at zero from a write
//! until the next tick, then it is loaded.

const CSR: u32 = 0x010;
const RVR: u32 = 0x014;
const CVR: u32 = 0x018;
const ICSR: u32 = 0xD04;
const CFSR: u32 = 0xD28;

const ENABLE: u32 = 1;
const INTERRUPT: u32 = 2;
const PROCESSOR_CLOCK: u32 = 4;
const COUNT_FLAG: u32 = 1 << 16;
const PENDING: u32 = 1 << 26;
const COUNTER: u32 = 0xFF_FFFF;

pub(super) struct SysTick {
    instructions_per_tick: u64,
    control: u32,
    reload: u32,
    /// The instruction at which the counter is loaded: it shows `reload` from there on.
    loaded_at: u64,
    /// Times that the counter reached zero since then which were already seen.
    wraps_seen: u64,
    count_flag: bool,
    pending: bool,
}

impl SysTick {
    pub(super) const fn new(instructions_per_tick: u64) -> Self {
        Self {
            instructions_per_tick,
            control: 0,
            reload: 0,
            loaded_at: 0,
            wraps_seen: 0,
            count_flag: false,
            pending: false,
        }
    }

    /// Ticks from one load of the counter to the next.
    const fn period(&self) -> u64 {
        self.reload as u64 + 1
    }

    const fn runs(&self) -> bool {
        self.control & ENABLE != 0 && self.reload != 0
    }

    /// The counter at instruction `now`.
    fn counter(&self, now: u64) -> u32 {
        match now.checked_sub(self.loaded_at) {
            Some(since) if self.runs() => {
                let ticks = since / self.instructions_per_tick % self.period();
                self.reload - ticks as u32
            }
            _ => 0,
        }
    }

    /// Notes what happened up to instruction `now`.
    pub(super) fn advance(&mut self, now: u64) {
        if !self.runs() {
            return;
        }
        let Some(since) = now.checked_sub(self.loaded_at) else {
            return;
        };
        // The counter reaches zero one tick before it is loaded again.
        let wraps = (since / self.instructions_per_tick + 1) / self.period();
        if wraps > self.wraps_seen {
            self.wraps_seen = wraps;
            self.count_flag = true;
            self.pending |= self.control & INTERRUPT != 0;
        }
    }

    /// The instruction at which something happens next.
    pub(super) const fn next_event(&self) -> u64 {
        if !self.runs() {
            return u64::MAX;
        }
        let ticks = (self.wraps_seen + 1) * self.period() - 1;
        self.loaded_at + ticks * self.instructions_per_tick
    }

    /// Whether its interrupt waits to be taken.
    pub(super) const fn is_pending(&self) -> bool {
        self.pending
    }

    /// Its interrupt has been taken.
    pub(super) const fn taken(&mut self) {
        self.pending = false;
    }

    /// Reads the register at `offset` of the system control space.
    pub(super) fn read(&mut self, offset: u32, now: u64) -> Option<u32> {
        self.advance(now);
        Some(match offset {
            CSR => {
                let flag = if self.count_flag { COUNT_FLAG } else { 0 };
                self.count_flag = false;
                self.control | flag
            }
            RVR => self.reload,
            CVR => self.counter(now),
            ICSR if self.pending => PENDING,
            ICSR | CFSR => 0,
            _ => return None,
        })
    }

    /// Writes the register at `offset` of the system control space.
    pub(super) fn write(&mut self, offset: u32, value: u32, now: u64) -> Option<()> {
        self.advance(now);
        match offset {
            CSR => {
                let was_running = self.runs();
                self.control = value & (ENABLE | INTERRUPT) | PROCESSOR_CLOCK;
                if !was_running {
                    self.restart(now);
                }
            }
            RVR => self.reload = value & COUNTER,
            CVR => {
                self.count_flag = false;
                self.restart(now);
            }
            _ => return None,
        }
        Some(())
    }

    /// The counter is zero until the next tick.
    const fn restart(&mut self, now: u64) {
        self.loaded_at = now + self.instructions_per_tick;
        self.wraps_seen = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNT_FLAG, CSR, CVR, ICSR, PENDING, RVR, SysTick};

    #[test]
    fn counts_down_once_per_tick_and_wraps() {
        let mut systick = SysTick::new(40);
        assert_eq!(systick.next_event(), u64::MAX);
        systick.write(RVR, 9, 0).unwrap();
        systick.write(CVR, 0, 0).unwrap();
        systick.write(CSR, 7, 100).unwrap();
        let mut read = |offset, now| systick.read(offset, now).unwrap();
        assert_eq!(read(CVR, 139), 0);
        assert_eq!(read(CVR, 140), 9);
        assert_eq!(read(CVR, 179), 9);
        assert_eq!(read(CVR, 180), 8);
        assert_eq!(read(ICSR, 499), 0);
        assert_eq!(read(CVR, 500), 0);
        assert_eq!(read(ICSR, 500), PENDING);
        assert_eq!(read(CSR, 500), 7 | COUNT_FLAG);
        assert_eq!(read(CSR, 539), 7);
        assert_eq!(read(CVR, 540), 9);
        assert_eq!(systick.next_event(), 900);
        systick.taken();
        assert!(!systick.is_pending());
        systick.advance(900);
        assert!(systick.is_pending());
    }
}
