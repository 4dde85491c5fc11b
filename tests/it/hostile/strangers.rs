//! What is no film at all.

use super::{Files, film8, named, noise};
use crate::film;
use crate::radiograph::samples;

pub fn files() -> Files {
    [nothings(), texts(), pictures(), archives(), programs(), almost_dicom()].concat()
}

fn nothings() -> Files {
    named([
        ("empty--file", vec![]),
        ("truncated--zeros", vec![0; 4096]),
        ("truncated--16-MiB-of-zeros", vec![0; 16 << 20]),
        ("not-an-image--one-byte", vec![b'x']),
        ("not-an-image--ones", vec![0xFF; 4096]),
        ("not-an-image--noise", noise(4096)),
    ])
}

fn texts() -> Files {
    let entities = r#"<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
        <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><svg xmlns="http://www.w3.org/2000/svg"><text>&c;</text></svg>"#;
    let utf_16: Vec<u8> = "\u{feff}The patient was seen today.".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom\r\n\r\n";
    named([
        ("not-an-image--text", b"The patient was seen today.\n".to_vec()),
        ("not-an-image--text-in-utf-16", utf_16),
        ("not-an-image--html", b"<!DOCTYPE html><html></html>".to_vec()),
        ("not-an-image--svg-of-entities", entities.into()),
        ("not-an-image--hl7", b"MSH|^~\\&|RIS|CLINIC|PACS|CLINIC|20260101||ORU^R01|1|P|2.5\r".to_vec()),
        ("not-an-image--letter", b"From: clinic\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n".to_vec()),
        ("not-an-image--film-with-its-http-header", [answer, &film8().file(film::EXPLICIT)[..]].concat()),
    ])
}

/// Pictures and films of kinds that are not read.
fn pictures() -> Files {
    named([
        ("not-an-image--gif", b"GIF89a\x01\0\x01\0".to_vec()),
        ("not-an-image--bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0".to_vec()),
        ("not-an-image--webp", b"RIFF\x1A\0\0\0WEBPVP8L".to_vec()),
        ("not-an-image--heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        ("not-an-image--avif", b"\0\0\0\x1Cftypavif\0\0\0\0avifmif1miaf".to_vec()),
        ("not-an-image--mp4", b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2\0\0\0\x08free".to_vec()),
        ("not-an-image--jpeg-ls-outside-dicom", samples::jpeg_ls()),
        ("not-an-image--jpeg-2000-codestream", samples::jpeg_2000()),
        ("not-an-image--jpeg-2000-file", [b"\0\0\0\x0CjP  \r\n\x87\n", &samples::jpeg_2000()[..]].concat()),
        ("not-an-image--jpeg-xl", b"\xFF\x0A\xFA\x1F\x01\x91\x08\x06\x01\0".to_vec()),
        ("not-an-image--postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n".to_vec()),
        ("not-an-image--nifti", [&348u32.to_le_bytes()[..], &[0; 340], b"n+1\0", &[0; 4096]].concat()),
    ])
}

fn archives() -> Files {
    let tar = [&b"knee.dcm"[..], &[0; 249], b"ustar\x0000", &[0; 247]].concat();
    named([
        ("archive--zip", b"PK\x03\x04\x14\0\0\0".to_vec()),
        ("archive--empty-zip", [b"PK\x05\x06", &[0; 18][..]].concat()),
        (
            "archive--letter-of-a-word-processor",
            [b"PK\x03\x04\x14\0\x06\0", &[0; 18][..], b"\x13\0[Content_Types].xml"].concat(),
        ),
        ("archive--gzip", b"\x1f\x8b\x08\0\0\0\0\0".to_vec()),
        ("archive--bzip2", b"BZh91AY&SY".to_vec()),
        ("archive--xz", b"\xFD7zXZ\0\0\x04".to_vec()),
        ("archive--zstd", b"\x28\xB5\x2F\xFD\x04\0".to_vec()),
        ("archive--7z", b"7z\xBC\xAF\x27\x1C\0\x04".to_vec()),
        ("archive--rar", b"Rar!\x1A\x07\x01\0".to_vec()),
        ("archive--tar", tar),
    ])
}

fn programs() -> Files {
    named([
        ("not-an-image--elf", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3E\0".to_vec()),
        ("not-an-image--windows-program", [b"MZ\x90\0", &[0; 60][..], b"PE\0\0"].concat()),
        ("not-an-image--pdf", b"%PDF-1.7\n".to_vec()),
        ("not-an-image--script", b"#!/bin/sh\nrm -rf ~\n".to_vec()),
        ("not-an-image--database", b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20".to_vec()),
        ("not-an-image--java-class", b"\xCA\xFE\xBA\xBE\0\0\0\x34".to_vec()),
    ])
}

/// What is meant to be DICOM.
fn almost_dicom() -> Files {
    let sound = film8().file(film::EXPLICIT);
    let command = b"\0\0\0\0\x04\0\0\0\x38\0\0\0\0\0\x02\0\x1A\0\0\x001.2.840.10008.5.1.4.1.1.1\0";
    named([
        ("not-an-image--wrong-magic", super::overwritten(&sound, 128, b"DCIM")),
        ("not-an-image--no-preamble-before-the-magic", sound[128..].to_vec()),
        ("not-an-image--a-stray-byte-before-the-preamble", [b"\n", &sound[..]].concat()),
        ("not-an-image--message-from-the-network", command.to_vec()),
        ("truncated--magic-word-alone", sound[..132].to_vec()),
    ])
}
