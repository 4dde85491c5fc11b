//! Lengths that are not there, up to 4 GiB, in every form of header; sequences in sequences, and elements without number.

use super::{Files, film8, inserted, named};
use crate::film::{self, Film, Value};

pub fn files() -> Files {
    [lies(), nesting(), floods()].concat()
}

fn lies() -> Files {
    let lie = |length: u32, vr| film8().set(0x0010_1010, vr, Value::Lie(length, vec![0; 8]));
    let pixels = |length: u32| film8().set(film::PIXELS, "OW", Value::Lie(length, vec![0; 64]));
    let open = |content: Vec<u8>| film8().set(0x0010_1010, "SQ", Value::Lie(u32::MAX, content));
    let item = |length: u32| [b"\xFE\xFF\0\xE0".to_vec(), length.to_le_bytes().to_vec(), vec![0; 8]].concat();
    let meta = inserted(&film8().file(film::EXPLICIT), 132, b"\x02\0\x01\0OB\0\0\xF0\xFF\xFF\xFF");
    named([
        ("truncated--short-length", lie(0xFFFE, "LO").file(film::EXPLICIT)),
        ("damaged--4-GiB-OB", lie(0xFFFF_FFFE, "OB").file(film::EXPLICIT)),
        ("damaged--4-GiB-UT", lie(0xFFFF_FFFE, "UT").file(film::EXPLICIT)),
        ("damaged--4-GiB-UN", lie(0xFFFF_FFF0, "UN").file(film::EXPLICIT)),
        ("damaged--4-GiB-SQ", lie(0xFFFF_FFF0, "SQ").file(film::EXPLICIT)),
        ("damaged--4-GiB-implicit", lie(0xFFFF_FFF0, "LO").file(film::IMPLICIT)),
        ("damaged--4-GiB-big-endian", lie(0xFFFF_FFF0, "OW").file(film::BIG_ENDIAN)),
        ("damaged--4-GiB-deflated", lie(0xFFFF_FFF0, "OB").file(film::DEFLATED)),
        ("damaged--4-GiB-pixels", pixels(0xFFFF_FFF0).file(film::EXPLICIT)),
        ("truncated--200-MB-pixels", pixels(200 << 20).file(film::EXPLICIT)),
        ("truncated--undefined-length-without-items", pixels(u32::MAX).file(film::EXPLICIT)),
        ("damaged--4-GiB-item", open(item(0xFFFF_FFF0)).file(film::EXPLICIT)),
        (
            "damaged--4-GiB-fragment",
            film8().set(film::PIXELS, "OB", Value::Lie(u32::MAX, item(0xFFFF_FFF0))).file(film::RLE),
        ),
        ("damaged--4-GiB-meta-element", meta),
        ("damaged--sequence-without-end", open(item(8)).file(film::EXPLICIT)),
    ])
}

fn nesting() -> Files {
    let item = b"\xFE\xFF\0\xE0\xFF\xFF\xFF\xFF";
    let nested = |vr: &'static str, explicit: bool| {
        let mut level = item.to_vec();
        level.extend(b"\x10\0\x10\x10");
        if explicit {
            level.extend(vr.as_bytes());
            level.extend([0, 0]);
        }
        level.extend([0xFF; 4]);
        Film::default().set(0x0010_1010, vr, Value::Lie(u32::MAX, level.repeat(10_000)))
    };
    named([
        ("damaged--10000-nested-explicit", nested("SQ", true).file(film::EXPLICIT)),
        ("damaged--10000-nested-implicit", nested("SQ", false).file(film::IMPLICIT)),
        ("damaged--10000-nested-unknown", nested("UN", false).file(film::EXPLICIT)),
    ])
}

fn floods() -> Files {
    let after_meta = |flood: &[u8]| [film::meta(film::EXPLICIT), flood.to_vec()].concat();
    let items = [b"\x08\0\x10\0SQ\0\0\xFF\xFF\xFF\xFF".to_vec(), b"\xFE\xFF\0\xE0\0\0\0\0".repeat(200_000)].concat();
    let fragments = Value::Fragments(vec![vec![]; 200_000]);
    named([
        ("damaged--200000-elements", after_meta(&b"\x09\0\x10\0LO\0\0".repeat(200_000))),
        ("damaged--200000-items", after_meta(&items)),
        ("damaged--200000-fragments", film8().set(film::PIXELS, "OB", fragments).file(film::RLE)),
    ])
}
