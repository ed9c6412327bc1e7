#![no_main]
//! SRTP and SRTCP that nobody sealed, between packets that somebody did: only those are opened, and each once.

use libfuzzer_sys::fuzz_target;
use media::srtp::{Opener, Sealer};
use media_api::{KeyName, MasterKey, Suite};

// The first byte says which suite, and whether the key has a name; then come packets: what is to be done, a length, and so
// many bytes.
fuzz_target!(|bytes: &[u8]| {
    let Some((kind, mut rest)) = bytes.split_first() else { return };
    let suite = Suite::ALL[usize::from(kind % 6)];
    let key = MasterKey::from_bytes(suite, &[7; 46][..suite.master_length()]).expect("of its length");
    let name = if kind & 0x80 != 0 { KeyName::new(1, 4) } else { None };
    let mut sealer = Sealer::new(&key).expect("a key of its length");
    let mut opener = Opener::new(&key, name).expect("a key of its length");
    while let Some(([act, length], after)) = rest.split_first_chunk() {
        let (packet, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let mut packet = packet.to_vec();
        match act % 4 {
            0 => assert!(opener.open(&mut packet).is_err(), "a tag was guessed"),
            1 => assert!(opener.open_report(&mut packet).is_err(), "a tag was guessed"),
            2 => {
                let plain = packet.clone();
                if sealer.seal(&mut packet, 0).is_ok() && name.is_none() {
                    let mut again = packet.clone();
                    if let Ok(opened) = opener.open(&mut packet) {
                        assert_eq!(packet[..opened], plain);
                        assert!(opener.open(&mut again).is_err(), "a packet passed twice");
                    }
                }
            }
            _ => {
                let plain = packet.clone();
                if sealer.seal_report(&mut packet, 0).is_ok() && name.is_none() && plain.len() >= 8 {
                    let mut again = packet.clone();
                    let opened = opener.open_report(&mut packet).expect("its number is new");
                    assert_eq!(packet[..opened], plain);
                    assert!(opener.open_report(&mut again).is_err(), "a report passed twice");
                }
            }
        }
    }
});
