//! A debug probe whose cable ends at a simulated chip.

use super::chip::{Chip, Unplugged};
use probe_rs::MemoryInterface;
use probe_rs::architecture::arm::ap::CSW;
use probe_rs::architecture::arm::dp::{DpAddress, DpRegisterAddress};
use probe_rs::architecture::arm::memory::ArmMemoryInterface;
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{
    ArmDebugInterface, ArmError, DapAccess, DapProbe, FullyQualifiedApAddress, SwdSequence,
    SwoAccess, SwoConfig,
};
use probe_rs::probe::list::{Lister, ProbeListItem, ProbeLister};
use probe_rs::probe::{
    DebugProbe, DebugProbeError, DebugProbeInfo, DebugProbeSelector, Probe, ProbeCreationError,
    ProbeFactory, WireProtocol,
};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A chip that a probe and a test share.
#[derive(Clone)]
pub struct Board(Arc<Mutex<Chip>>);

impl Board {
    /// A board with this chip.
    pub fn new(chip: Chip) -> Self {
        Self(Arc::new(Mutex::new(chip)))
    }

    /// The chip, for a moment.
    pub fn chip(&self) -> MutexGuard<'_, Chip> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists one probe, and this board behind it.
    pub fn lister(&self) -> Lister {
        Lister::with_lister(Box::new(self.clone()))
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Board")
    }
}

impl ProbeLister for Board {
    fn open(&self, _: &DebugProbeSelector) -> Result<Probe, DebugProbeError> {
        self.chip().access().map_err(unplugged)?;
        Ok(Probe::from_specific_probe(Box::new(SimulatedProbe {
            board: self.clone(),
            speed: 1000,
            protocol: WireProtocol::Swd,
        })))
    }

    fn list_with_access(&self, _: Option<&DebugProbeSelector>) -> Vec<ProbeListItem> {
        if self.chip().accesses_left == Some(0) {
            return Vec::new();
        }
        vec![ProbeListItem::accessible(DebugProbeInfo::new(
            "Simulated",
            0x1209,
            0x0001,
            Some("42".to_owned()),
            &Factory,
            None,
            false,
        ))]
    }
}

fn unplugged(_: Unplugged) -> DebugProbeError {
    DebugProbeError::Usb(io::Error::new(
        io::ErrorKind::NotConnected,
        "the device was disconnected",
    ))
}

#[derive(Debug)]
struct Factory;

impl fmt::Display for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated")
    }
}

impl ProbeFactory for Factory {
    fn open(&self, _: &DebugProbeSelector) -> Result<Box<dyn DebugProbe>, DebugProbeError> {
        Err(DebugProbeError::ProbeCouldNotBeCreated(
            ProbeCreationError::NotFound,
        ))
    }

    fn list_probes(&self) -> Vec<ProbeListItem> {
        Vec::new()
    }
}

#[derive(Debug)]
struct SimulatedProbe {
    board: Board,
    speed: u32,
    protocol: WireProtocol,
}

impl DebugProbe for SimulatedProbe {
    fn get_name(&self) -> &str {
        "Simulated"
    }

    fn speed_khz(&self) -> u32 {
        self.speed
    }

    fn set_speed(&mut self, speed_khz: u32) -> Result<u32, DebugProbeError> {
        if speed_khz > 50_000 {
            return Err(DebugProbeError::UnsupportedSpeed(speed_khz));
        }
        self.speed = speed_khz;
        Ok(speed_khz)
    }

    fn attach(&mut self) -> Result<(), DebugProbeError> {
        self.board.chip().access().map_err(unplugged)
    }

    fn detach(&mut self) -> Result<(), probe_rs::Error> {
        Ok(())
    }

    fn target_reset(&mut self) -> Result<(), DebugProbeError> {
        self.board.chip().reset();
        Ok(())
    }

    fn target_reset_assert(&mut self) -> Result<(), DebugProbeError> {
        Ok(())
    }

    fn target_reset_deassert(&mut self) -> Result<(), DebugProbeError> {
        self.board.chip().reset();
        Ok(())
    }

    fn select_protocol(&mut self, protocol: WireProtocol) -> Result<(), DebugProbeError> {
        match protocol {
            WireProtocol::Swd => {
                self.protocol = protocol;
                Ok(())
            }
            WireProtocol::Jtag => Err(DebugProbeError::UnsupportedProtocol(protocol)),
        }
    }

    fn active_protocol(&self) -> Option<WireProtocol> {
        Some(self.protocol)
    }

    fn has_arm_interface(&self) -> bool {
        true
    }

    fn try_get_arm_debug_interface<'probe>(
        self: Box<Self>,
        _: Arc<dyn ArmDebugSequence>,
    ) -> Result<Box<dyn ArmDebugInterface + 'probe>, (Box<dyn DebugProbe>, ArmError)> {
        Ok(Box::new(Port {
            board: self.board.clone(),
            debug_port: None,
        }))
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }
}

/// The debug port of the chip.
struct Port {
    board: Board,
    debug_port: Option<DpAddress>,
}

const RAW: ArmError = ArmError::NotImplemented("registers of the debug port");
const TRACE: ArmError = ArmError::NotImplemented("trace");

impl ArmDebugInterface for Port {
    fn reinitialize(&mut self) -> Result<(), ArmError> {
        Ok(())
    }

    fn access_ports(
        &mut self,
        _: DpAddress,
    ) -> Result<BTreeSet<FullyQualifiedApAddress>, ArmError> {
        Err(RAW)
    }

    fn close(self: Box<Self>) -> Probe {
        Probe::from_specific_probe(Box::new(SimulatedProbe {
            board: self.board.clone(),
            speed: 1000,
            protocol: WireProtocol::Swd,
        }))
    }

    fn select_debug_port(&mut self, dp: DpAddress) -> Result<(), ArmError> {
        self.debug_port = Some(dp);
        Ok(())
    }

    fn current_debug_port(&self) -> Option<DpAddress> {
        self.debug_port
    }

    fn memory_interface(
        &mut self,
        access_port: &FullyQualifiedApAddress,
    ) -> Result<Box<dyn ArmMemoryInterface + '_>, ArmError> {
        Ok(Box::new(Bus {
            port: self,
            access_port: access_port.clone(),
        }))
    }
}

impl SwdSequence for Port {
    fn swj_sequence(&mut self, _: u8, _: u64) -> Result<(), DebugProbeError> {
        Ok(())
    }

    /// Only ever called to let the reset line go.
    fn swj_pins(&mut self, out: u32, _: u32, _: u32) -> Result<u32, DebugProbeError> {
        self.board.chip().reset();
        Ok(out)
    }
}

impl SwoAccess for Port {
    fn enable_swo(&mut self, _: &SwoConfig) -> Result<(), ArmError> {
        Err(TRACE)
    }

    fn disable_swo(&mut self) -> Result<(), ArmError> {
        Err(TRACE)
    }

    fn read_swo_timeout(&mut self, _: Duration) -> Result<Vec<u8>, ArmError> {
        Err(TRACE)
    }
}

impl DapAccess for Port {
    fn read_raw_dp_register(
        &mut self,
        _: DpAddress,
        _: DpRegisterAddress,
    ) -> Result<u32, ArmError> {
        Err(RAW)
    }

    fn write_raw_dp_register(
        &mut self,
        _: DpAddress,
        _: DpRegisterAddress,
        _: u32,
    ) -> Result<(), ArmError> {
        Err(RAW)
    }

    fn read_raw_ap_register(
        &mut self,
        _: &FullyQualifiedApAddress,
        _: u64,
    ) -> Result<u32, ArmError> {
        Err(RAW)
    }

    fn read_raw_ap_register_repeated(
        &mut self,
        _: &FullyQualifiedApAddress,
        _: u64,
        _: &mut [u32],
    ) -> Result<(), ArmError> {
        Err(RAW)
    }

    fn write_raw_ap_register(
        &mut self,
        _: &FullyQualifiedApAddress,
        _: u64,
        _: u32,
    ) -> Result<(), ArmError> {
        Err(RAW)
    }

    fn write_raw_ap_register_repeated(
        &mut self,
        _: &FullyQualifiedApAddress,
        _: u64,
        _: &[u32],
    ) -> Result<(), ArmError> {
        Err(RAW)
    }

    fn try_dap_probe(&self) -> Option<&dyn DapProbe> {
        None
    }

    fn try_dap_probe_mut(&mut self) -> Option<&mut dyn DapProbe> {
        None
    }
}

/// The memory behind one access port.
struct Bus<'p> {
    port: &'p mut Port,
    access_port: FullyQualifiedApAddress,
}

impl Bus<'_> {
    fn chip(&self) -> Result<MutexGuard<'_, Chip>, ArmError> {
        let mut chip = self.port.board.chip();
        chip.access()
            .map_err(|error| ArmError::Probe(unplugged(error)))?;
        Ok(chip)
    }
}

impl ArmMemoryInterface for Bus<'_> {
    fn fully_qualified_address(&self) -> FullyQualifiedApAddress {
        self.access_port.clone()
    }

    fn base_address(&mut self) -> Result<u64, ArmError> {
        Err(RAW)
    }

    fn get_arm_debug_interface(&mut self) -> Result<&mut dyn ArmDebugInterface, DebugProbeError> {
        Ok(self.port)
    }

    fn generic_status(&mut self) -> Result<CSW, ArmError> {
        Err(RAW)
    }
}

impl MemoryInterface<ArmError> for Bus<'_> {
    fn supports_native_64bit_access(&mut self) -> bool {
        false
    }

    fn read_64(&mut self, _: u64, _: &mut [u64]) -> Result<(), ArmError> {
        Err(ArmError::UnsupportedTransferWidth(64))
    }

    fn read_32(&mut self, address: u64, data: &mut [u32]) -> Result<(), ArmError> {
        if !address.is_multiple_of(4) {
            return Err(ArmError::alignment_error(address, 4));
        }
        let mut chip = self.chip()?;
        for (address, word) in (address..).step_by(4).zip(data) {
            *word = chip.read_word(&self.access_port, address);
        }
        Ok(())
    }

    fn read_16(&mut self, address: u64, data: &mut [u16]) -> Result<(), ArmError> {
        let chip = self.chip()?;
        for (address, half) in (address..).step_by(2).zip(data) {
            let bytes = chip.memory.bytes(address, 2);
            *half = u16::from_le_bytes([bytes[0], bytes[1]]);
        }
        Ok(())
    }

    fn read_8(&mut self, address: u64, data: &mut [u8]) -> Result<(), ArmError> {
        self.chip()?.memory.read(address, data);
        Ok(())
    }

    fn write_64(&mut self, _: u64, _: &[u64]) -> Result<(), ArmError> {
        Err(ArmError::UnsupportedTransferWidth(64))
    }

    fn write_32(&mut self, address: u64, data: &[u32]) -> Result<(), ArmError> {
        if !address.is_multiple_of(4) {
            return Err(ArmError::alignment_error(address, 4));
        }
        let mut chip = self.chip()?;
        for (address, word) in (address..).step_by(4).zip(data) {
            chip.write_word(&self.access_port, address, *word);
        }
        Ok(())
    }

    fn write_16(&mut self, address: u64, data: &[u16]) -> Result<(), ArmError> {
        let mut chip = self.chip()?;
        for (address, half) in (address..).step_by(2).zip(data) {
            chip.write(address, &half.to_le_bytes());
        }
        Ok(())
    }

    fn write_8(&mut self, address: u64, data: &[u8]) -> Result<(), ArmError> {
        self.chip()?.write(address, data);
        Ok(())
    }

    fn supports_8bit_transfers(&self) -> Result<bool, ArmError> {
        Ok(true)
    }

    fn flush(&mut self) -> Result<(), ArmError> {
        Ok(())
    }
}
