//! Any bytes, as they are and with CRC and hash made right: reading never panics, and what is accepted is what the bytes
//! say.

#![no_main]

use ember_slot::write::{SlotImage, next_slot};
use ember_slot::{HEADER_BYTES, Header, LayoutRecord, PublicKey, candidates, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((offset, record)) = LayoutRecord::find(bytes) {
        assert!(bytes[offset..].starts_with(&record.to_bytes()));
    }
    read(bytes);
    let (fields, model) = bytes.split_at(bytes.len().min(76));
    let Ok(image) = SlotImage::new(model, word(fields, 0), word(fields, 1), None) else {
        return;
    };
    let mut header = *image.header();
    header.model_bytes = header.model_bytes.wrapping_add(word(fields, 2));
    header.signature = fields
        .get(12..)
        .and_then(|rest| rest.first_chunk())
        .copied();
    let mut slot = header.to_bytes().to_vec();
    slot.extend_from_slice(model);
    assert_eq!(Header::read(&slot), Ok(header));
    assert_eq!(
        check(&slot, None).is_ok(),
        header.model_bytes as usize == model.len()
    );
    read(&slot);
});

fn word(fields: &[u8], index: usize) -> u32 {
    fields
        .get(4 * index..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |word| u32::from_le_bytes(*word))
}

/// Nobody's signature is among these bytes, so that a key (any point of the curve, here the base point) lets nothing pass.
fn read(slot: &[u8]) {
    let mut key = [0x66; 32];
    key[0] = 0x58;
    let key = PublicKey::new(key);
    assert!(check(slot, Some(&key)).is_err());
    assert_eq!(candidates([slot, &[]], Some(&key)).count(), 0);
    let all: Vec<_> = candidates([slot, slot], None).collect();
    assert_eq!(all.len(), if check(slot, None).is_ok() { 2 } else { 0 });
    if let Ok(read) = check(slot, None) {
        assert!(slot[..HEADER_BYTES] == read.header.to_bytes());
        assert_eq!(
            next_slot(&[slot, &[]], None).map(|next| next.index).ok(),
            read.header.sequence.checked_add(1).map(|_| 1)
        );
    }
}
