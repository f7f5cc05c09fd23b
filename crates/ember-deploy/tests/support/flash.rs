//! A flash that behaves as flash does, and dies when it is told to.

use ember_deploy::DeployError;
use ember_deploy::chip::{Boot, Core, Plan, Sectors};
use ember_deploy::image::Segment;
use ember_deploy::machine::Region;
use ember_deploy::update::Flash;

/// In which order a flash tool works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Every sector is erased, then every page is written.
    EraseAllFirst,
    /// A sector is erased and written before the next.
    SectorBySector,
    /// As the first, the last sector and the last page first: the header comes last.
    Backwards,
}

/// What happens to an access when there is no more power, or when something else goes wrong.
#[derive(Debug)]
pub(crate) enum FlashError {
    /// The power is gone.
    Cut,
    /// What ember-deploy says.
    #[allow(dead_code, reason = "only shown where no other error is expected")]
    Deploy(DeployError),
}

impl From<DeployError> for FlashError {
    fn from(error: DeployError) -> Self {
        Self::Deploy(error)
    }
}

/// NOR flash: erasing a sector sets every bit, writing only clears bits, a page at a time.
#[derive(Clone)]
pub(crate) struct SimulatedFlash {
    pub(crate) plan: Plan,
    pub(crate) bytes: Vec<u8>,
    pub(crate) order: Order,
    /// Steps until the power is cut: every erase and every byte that is written is one.
    pub(crate) steps_left: Option<u64>,
    /// Steps that were taken.
    pub(crate) steps: u64,
    random: u64,
}

impl SimulatedFlash {
    /// An erased flash of such sectors (bytes, count) from `origin` on with pages of 32 bytes.
    pub(crate) fn new(origin: u32, runs: &[(u32, u32)]) -> Self {
        let mut next = origin;
        let sectors = runs
            .iter()
            .map(|&(bytes, count)| {
                let run = Sectors {
                    origin: next,
                    bytes,
                    count,
                };
                next += bytes * count;
                run
            })
            .collect();
        let length = next - origin;
        let plan = Plan {
            name: "simulated".to_owned(),
            family: "simulated".to_owned(),
            core: Core::Armv7m,
            flash: Region { origin, length },
            sectors,
            page_bytes: 32,
            erased_byte: 0xFF,
            ram: Region {
                origin: 0x2000_0000,
                length: 0x1_0000,
            },
            boot: Boot::Plain,
            reserved: Vec::new(),
            start: Vec::new(),
            notes: Vec::new(),
        };
        Self {
            plan,
            bytes: vec![0xFF; length as usize],
            order: Order::EraseAllFirst,
            steps_left: None,
            steps: 0,
            random: 0x9E37_79B9_7F4A_7C15,
        }
    }

    /// Puts bytes there as a factory would.
    pub(crate) fn put(&mut self, address: u32, bytes: &[u8]) {
        let at = self.offset(address);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn region(&self, region: Region) -> &[u8] {
        let at = self.offset(region.origin);
        &self.bytes[at..at + region.length as usize]
    }

    fn offset(&self, address: u32) -> usize {
        (address - self.plan.flash.origin) as usize
    }

    /// Xorshift: garbage that is the same in every run.
    fn garbage(&mut self) -> u8 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 32) as u8
    }

    /// Whether there is power for one more step.
    fn step(&mut self) -> bool {
        self.steps += 1;
        match &mut self.steps_left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// Without power in the middle, some bytes are as before, some erased, some anything.
    fn erase(&mut self, sector: Region) -> Result<(), FlashError> {
        let at = self.offset(sector.origin);
        let whole = self.step();
        for index in at..at + sector.length as usize {
            let garbage = self.garbage();
            self.bytes[index] = match (whole, garbage % 3) {
                (true, _) | (_, 0) => 0xFF,
                (_, 1) => self.garbage(),
                _ => self.bytes[index],
            };
        }
        if whole { Ok(()) } else { Err(FlashError::Cut) }
    }

    /// Without power in the middle, the bits of a byte that are cleared are any of those that should be.
    fn write_page(&mut self, address: u32, page: &[u8]) -> Result<(), FlashError> {
        let at = self.offset(address);
        for (index, byte) in (at..).zip(page) {
            if self.step() {
                self.bytes[index] &= byte;
            } else {
                let garbage = self.garbage();
                self.bytes[index] &= byte | garbage;
                return Err(FlashError::Cut);
            }
        }
        Ok(())
    }

    fn write_pages(&mut self, mut pages: Vec<(u32, Vec<u8>)>) -> Result<(), FlashError> {
        if self.order == Order::Backwards {
            pages.reverse();
        }
        pages
            .into_iter()
            .try_for_each(|(address, page)| self.write_page(address, &page))
    }

    /// The segment in whole pages; what it does not fill stays erased.
    fn pages(&self, segment: &Segment) -> Vec<(u32, Vec<u8>)> {
        let page_bytes = self.plan.page_bytes;
        assert!(segment.address.is_multiple_of(page_bytes));
        (segment.address..)
            .step_by(page_bytes as usize)
            .zip(segment.bytes.chunks(page_bytes as usize))
            .map(|(address, chunk)| {
                let mut page = chunk.to_vec();
                page.resize(page_bytes as usize, 0xFF);
                (address, page)
            })
            .collect()
    }
}

impl Flash for SimulatedFlash {
    type Error = FlashError;

    fn read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        let at = self.offset(address);
        bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
        Ok(())
    }

    fn write(&mut self, segment: &Segment) -> Result<(), FlashError> {
        let end = u64::from(segment.address) + segment.bytes.len() as u64;
        let mut sectors: Vec<_> = self
            .plan
            .sectors()
            .filter(|sector| {
                u64::from(sector.origin) < end && u64::from(segment.address) < sector.end()
            })
            .collect();
        let pages = self.pages(segment);
        if self.order == Order::SectorBySector {
            for sector in sectors {
                self.erase(sector)?;
                let inside = pages
                    .iter()
                    .filter(|(address, _)| sector.contains(u64::from(*address), 1))
                    .cloned()
                    .collect();
                self.write_pages(inside)?;
            }
            return Ok(());
        }
        if self.order == Order::Backwards {
            sectors.reverse();
        }
        for sector in sectors {
            self.erase(sector)?;
        }
        self.write_pages(pages)
    }
}
