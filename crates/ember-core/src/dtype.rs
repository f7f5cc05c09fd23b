//! The element types of tensors.

macro_rules! dtypes {
    ($($variant:ident = $code:literal, $name:literal, $bits:literal;)*) => {
        /// The type of a tensor's elements, named and numbered as `TensorType` in `schema.fbs`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each variant is the schema's name in camel case")]
        pub enum Dtype {
            $($variant = $code,)*
        }

        impl Dtype {
            /// Every type, in the order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The type with this code in the file, if we know one.
            #[must_use]
            pub const fn from_code(code: i8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The schema's name, such as `INT8`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Bits of one element; `None` for the types whose elements have no fixed size.
            #[must_use]
            pub const fn bits(self) -> Option<u32> {
                match self {
                    $(Self::$variant => if $bits == 0 { None } else { Some($bits) },)*
                }
            }
        }
    };
}

dtypes! {
    Float32 = 0, "FLOAT32", 32;
    Float16 = 1, "FLOAT16", 16;
    Int32 = 2, "INT32", 32;
    Uint8 = 3, "UINT8", 8;
    Int64 = 4, "INT64", 64;
    String = 5, "STRING", 0;
    Bool = 6, "BOOL", 8;
    Int16 = 7, "INT16", 16;
    Complex64 = 8, "COMPLEX64", 64;
    Int8 = 9, "INT8", 8;
    Float64 = 10, "FLOAT64", 64;
    Complex128 = 11, "COMPLEX128", 128;
    Uint64 = 12, "UINT64", 64;
    Resource = 13, "RESOURCE", 32;
    Variant = 14, "VARIANT", 0;
    Uint32 = 15, "UINT32", 32;
    Uint16 = 16, "UINT16", 16;
    Int4 = 17, "INT4", 4;
    Bfloat16 = 18, "BFLOAT16", 16;
    Int2 = 19, "INT2", 2;
    Uint4 = 20, "UINT4", 4;
}

impl Dtype {
    /// Bytes that `elements` of this type take, sub-byte types packed; `None` where the type has no fixed size or the
    /// product does not fit.
    #[must_use]
    pub const fn bytes_for(self, elements: usize) -> Option<usize> {
        match self.bits() {
            None => None,
            Some(bits) if bits >= 8 => elements.checked_mul((bits / 8) as usize),
            Some(bits) => Some(elements.div_ceil((8 / bits) as usize)),
        }
    }
}

impl core::fmt::Display for Dtype {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Dtype;

    #[test]
    fn codes_and_variants_are_one_to_one() {
        for dtype in Dtype::ALL {
            assert_eq!(Dtype::from_code(*dtype as i8), Some(*dtype));
        }
    }

    #[test]
    fn sub_byte_types_are_packed() {
        assert_eq!(Dtype::Int4.bytes_for(3), Some(2));
        assert_eq!(Dtype::Int2.bytes_for(5), Some(2));
        assert_eq!(Dtype::Int16.bytes_for(3), Some(6));
        assert_eq!(Dtype::String.bytes_for(1), None);
        assert_eq!(Dtype::Int64.bytes_for(usize::MAX), None);
    }
}
