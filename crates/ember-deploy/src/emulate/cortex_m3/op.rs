//! The instructions of Armv7-M, decoded.
//!
//! Everything that is known before the program runs is worked out while decoding: addresses that are relative to the
//! program counter are absolute here, no operand is the program counter, and an instruction of an IT block has its
//! condition with it and does not set flags.

/// A register's number.
pub(super) type Reg = u8;

/// An instruction, and what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) op: Op,
    /// The condition of the IT block that it is in, if any.
    pub(super) condition: Condition,
    /// Bytes, 2 or 4.
    pub(super) length: u8,
}

/// When an instruction takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Condition {
    Eq,
    Ne,
    Cs,
    Cc,
    Mi,
    Pl,
    Vs,
    Vc,
    Hi,
    Ls,
    Ge,
    Lt,
    Gt,
    Le,
    Always,
}

impl Condition {
    /// The condition with this code; the code 15 is no condition.
    pub(super) const fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::Eq,
            1 => Self::Ne,
            2 => Self::Cs,
            3 => Self::Cc,
            4 => Self::Mi,
            5 => Self::Pl,
            6 => Self::Vs,
            7 => Self::Vc,
            8 => Self::Hi,
            9 => Self::Ls,
            10 => Self::Ge,
            11 => Self::Lt,
            12 => Self::Gt,
            13 => Self::Le,
            14 => Self::Always,
            _ => return None,
        })
    }
}

/// A two-operand operation. The last four only set flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alu {
    And,
    Bic,
    Orr,
    Orn,
    Eor,
    Add,
    Adc,
    Sbc,
    Sub,
    Rsb,
    Mov,
    Mvn,
    Tst,
    Teq,
    Cmn,
    Cmp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    Lsl,
    Lsr,
    Asr,
    Ror,
    /// Rotate right by one through the carry.
    Rrx,
}

/// What a constant does to the carry flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carry {
    Keep,
    Clear,
    Set,
}

/// What is loaded or stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Word,
    Half,
    Byte,
    SignedHalf,
    SignedByte,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    SignedHalf,
    SignedByte,
    UnsignedHalf,
    UnsignedByte,
    Reverse,
    ReverseHalves,
    ReverseSignedHalf,
    ReverseBits,
    LeadingZeros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Long {
    SignedMultiply,
    UnsignedMultiply,
    SignedAccumulate,
    UnsignedAccumulate,
}

/// How a base register gives an address, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// Base plus offset; the base stays.
    Offset,
    /// Base plus offset; the base becomes that.
    Before,
    /// Base; then it becomes base plus offset.
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Has not been looked at.
    Unknown,
    AluImmediate {
        alu: Alu,
        flags: bool,
        rd: Reg,
        rn: Reg,
        value: u32,
        carry: Carry,
    },
    AluRegister {
        alu: Alu,
        flags: bool,
        rd: Reg,
        rn: Reg,
        rm: Reg,
        shift: Shift,
        amount: u8,
    },
    /// The commonest of the operations above, each with nothing left to decide; see [`Op::specialised`].
    AddImmediate {
        rd: Reg,
        rn: Reg,
        value: u32,
    },
    SubtractImmediateFlags {
        rd: Reg,
        rn: Reg,
        value: u32,
    },
    AddImmediateFlags {
        rd: Reg,
        rn: Reg,
        value: u32,
    },
    CompareImmediate {
        rn: Reg,
        value: u32,
    },
    MoveImmediate {
        rd: Reg,
        value: u32,
    },
    AddRegister {
        rd: Reg,
        rn: Reg,
        rm: Reg,
    },
    CompareRegister {
        rn: Reg,
        rm: Reg,
    },
    MoveRegister {
        rd: Reg,
        rm: Reg,
    },
    LoadWord {
        rt: Reg,
        rn: Reg,
        offset: i32,
    },
    StoreWord {
        rt: Reg,
        rn: Reg,
        offset: i32,
    },
    LoadSignedByteRegister {
        rt: Reg,
        rn: Reg,
        rm: Reg,
    },
    LoadSignedByteAfter {
        rt: Reg,
        rn: Reg,
        offset: i32,
    },
    ShiftRegister {
        shift: Shift,
        flags: bool,
        rd: Reg,
        rn: Reg,
        rm: Reg,
    },
    /// The upper half of a register.
    MoveTop {
        rd: Reg,
        value: u16,
    },
    Unary {
        unary: Unary,
        rd: Reg,
        rm: Reg,
        /// Bits that `rm` is rotated right before an extension.
        rotate: u8,
    },
    BitfieldExtract {
        signed: bool,
        rd: Reg,
        rn: Reg,
        low: u8,
        width: u8,
    },
    BitfieldInsert {
        rd: Reg,
        /// None: zeros.
        rn: Option<Reg>,
        low: u8,
        width: u8,
    },
    Saturate {
        signed: bool,
        rd: Reg,
        rn: Reg,
        bits: u8,
        arithmetic_right: bool,
        amount: u8,
    },
    Multiply {
        flags: bool,
        rd: Reg,
        rn: Reg,
        rm: Reg,
    },
    MultiplyAccumulate {
        subtract: bool,
        rd: Reg,
        rn: Reg,
        rm: Reg,
        ra: Reg,
    },
    LongMultiply {
        long: Long,
        low: Reg,
        high: Reg,
        rn: Reg,
        rm: Reg,
    },
    Divide {
        signed: bool,
        rd: Reg,
        rn: Reg,
        rm: Reg,
    },
    Load {
        width: Width,
        rt: Reg,
        rn: Reg,
        offset: i32,
        index: Index,
    },
    LoadRegister {
        width: Width,
        rt: Reg,
        rn: Reg,
        rm: Reg,
        shift: u8,
    },
    LoadAbsolute {
        width: Width,
        rt: Reg,
        address: u32,
    },
    Store {
        width: Width,
        rt: Reg,
        rn: Reg,
        offset: i32,
        index: Index,
    },
    StoreRegister {
        width: Width,
        rt: Reg,
        rn: Reg,
        rm: Reg,
        shift: u8,
    },
    LoadMultiple {
        rn: Reg,
        registers: u16,
        /// The addresses end below the base instead of beginning at it.
        below: bool,
        write_back: bool,
    },
    StoreMultiple {
        rn: Reg,
        registers: u16,
        below: bool,
        write_back: bool,
    },
    LoadDual {
        first: Reg,
        second: Reg,
        rn: Reg,
        offset: i16,
        index: Index,
    },
    LoadDualAbsolute {
        first: Reg,
        second: Reg,
        address: u32,
    },
    StoreDual {
        first: Reg,
        second: Reg,
        rn: Reg,
        offset: i16,
        index: Index,
    },
    LoadExclusive {
        width: Width,
        rt: Reg,
        rn: Reg,
        offset: u16,
    },
    StoreExclusive {
        width: Width,
        rd: Reg,
        rt: Reg,
        rn: Reg,
        offset: u16,
    },
    ClearExclusive,
    /// Branch forwards from `from` by twice an entry of the table at `rn` or, without it, at `from`.
    TableBranch {
        half: bool,
        rn: Option<Reg>,
        rm: Reg,
        from: u32,
    },
    Branch {
        target: u32,
    },
    BranchIf {
        condition: Condition,
        target: u32,
    },
    CompareBranch {
        nonzero: bool,
        rn: Reg,
        target: u32,
    },
    Call {
        target: u32,
        link: u32,
    },
    BranchRegister {
        rm: Reg,
    },
    /// Branch to the sum, whose lowest bit says nothing.
    BranchSum {
        rm: Reg,
        base: u32,
    },
    CallRegister {
        rm: Reg,
        link: u32,
    },
    /// Hints, barriers, preloads, and IT itself.
    Nothing,
    InterruptMask {
        masked: bool,
    },
    ReadSpecial {
        rd: Reg,
        register: u8,
    },
    WriteSpecial {
        register: u8,
        rn: Reg,
    },
    Breakpoint {
        number: u8,
    },
}

impl Op {
    /// The same instruction, as the variant that is executed fastest.
    pub(super) const fn specialised(self) -> Self {
        match self {
            Self::AluImmediate {
                alu: Alu::Add,
                flags: false,
                rd,
                rn,
                value,
                ..
            } => Self::AddImmediate { rd, rn, value },
            Self::AluImmediate {
                alu: Alu::Sub,
                flags: false,
                rd,
                rn,
                value,
                ..
            } => Self::AddImmediate {
                rd,
                rn,
                value: value.wrapping_neg(),
            },
            Self::AluImmediate {
                alu: Alu::Add,
                flags: true,
                rd,
                rn,
                value,
                ..
            } => Self::AddImmediateFlags { rd, rn, value },
            Self::AluImmediate {
                alu: Alu::Sub,
                flags: true,
                rd,
                rn,
                value,
                ..
            } => Self::SubtractImmediateFlags { rd, rn, value },
            Self::AluImmediate {
                alu: Alu::Cmp,
                rn,
                value,
                ..
            } => Self::CompareImmediate { rn, value },
            Self::AluImmediate {
                alu: Alu::Mov,
                flags: false,
                rd,
                value,
                ..
            } => Self::MoveImmediate { rd, value },
            Self::AluRegister {
                alu: Alu::Add,
                flags: false,
                rd,
                rn,
                rm,
                shift: Shift::Lsl,
                amount: 0,
            } => Self::AddRegister { rd, rn, rm },
            Self::AluRegister {
                alu: Alu::Cmp,
                rn,
                rm,
                shift: Shift::Lsl,
                amount: 0,
                ..
            } => Self::CompareRegister { rn, rm },
            Self::AluRegister {
                alu: Alu::Mov,
                flags: false,
                rd,
                rm,
                shift: Shift::Lsl,
                amount: 0,
                ..
            } => Self::MoveRegister { rd, rm },
            // A load to the program counter is a branch.
            Self::Load {
                width: Width::Word,
                rt: rt @ 0..=14,
                rn,
                offset,
                index: Index::Offset,
            } => Self::LoadWord { rt, rn, offset },
            Self::Store {
                width: Width::Word,
                rt,
                rn,
                offset,
                index: Index::Offset,
            } => Self::StoreWord { rt, rn, offset },
            Self::LoadRegister {
                width: Width::SignedByte,
                rt,
                rn,
                rm,
                shift: 0,
            } => Self::LoadSignedByteRegister { rt, rn, rm },
            Self::Load {
                width: Width::SignedByte,
                rt,
                rn,
                offset,
                index: Index::After,
            } => Self::LoadSignedByteAfter { rt, rn, offset },
            other => other,
        }
    }
}
