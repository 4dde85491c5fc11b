//! libjpeg-turbo 3 behind a safe face: every JPEG, lossy or lossless, 2 to 16 bits, to grey.
//!
//! It is the library behind OpenCV and Pillow, so the grey values are theirs bit for bit.
#![allow(unsafe_code)]

use crate::radiograph::{Limits, Refusal, jpeg_markers};
use std::borrow::Cow;
use std::ffi::{CStr, c_int};
use turbojpeg_sys as tj;

/// Scans of a progressive picture; encoders write about ten, an attack thousands.
const MAX_SCANS: c_int = 100;
/// MiB for coefficients of a progressive picture: 64 Mpx in three components need 384.
const MAX_MEMORY_MIB: c_int = 512;

/// A decompressor that has read one picture's header.
pub(crate) struct Decoder<'a> {
    handle: Handle,
    jpeg: Cow<'a, [u8]>,
    pub width: u32,
    pub height: u32,
    /// Bits a sample, 2 to 16.
    pub precision: u32,
    /// Coded without loss (processes 14 and up).
    pub lossless: bool,
    /// One component.
    pub grey: bool,
}

/// Grey values, `width * height` of them, row by row.
pub(crate) enum Grey {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

struct Handle(tj::tjhandle);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init and is destroyed only here.
        unsafe { tj::tj3Destroy(self.0) }
    }
}

impl<'a> Decoder<'a> {
    /// Reads the header and checks the size; nothing is allocated for pixels yet.
    pub fn new(jpeg: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        let jpeg = jpeg_markers::mend_headers(jpeg);
        // SAFETY: takes no pointer; a null result is checked.
        let handle = Handle(unsafe { tj::tj3Init(tj::TJINIT_TJINIT_DECOMPRESS as c_int) });
        if handle.0.is_null() {
            return Err(Refusal::unsupported("libjpeg-turbo could not start for want of memory"));
        }
        for (parameter, value) in [
            (tj::TJPARAM_TJPARAM_STOPONWARNING, 1),
            (tj::TJPARAM_TJPARAM_SCANLIMIT, MAX_SCANS),
            (tj::TJPARAM_TJPARAM_MAXMEMORY, MAX_MEMORY_MIB),
            (tj::TJPARAM_TJPARAM_MAXPIXELS, c_int::try_from(limits.max_pixels).unwrap_or(c_int::MAX)),
        ] {
            // SAFETY: the handle is live; an unknown parameter would return an error, not touch memory.
            unsafe { tj::tj3Set(handle.0, parameter as c_int, value) };
        }
        // SAFETY: the pointer and length are those of a live slice, which is only read.
        let code = unsafe { tj::tj3DecompressHeader(handle.0, jpeg.as_ptr(), jpeg.len() as _) };
        if code != 0 {
            return Err(handle.refusal());
        }
        let width = handle.get(tj::TJPARAM_TJPARAM_JPEGWIDTH)?;
        let height = handle.get(tj::TJPARAM_TJPARAM_JPEGHEIGHT)?;
        limits.check(width, height)?;
        let grey = match handle.get(tj::TJPARAM_TJPARAM_COLORSPACE)? {
            tj::TJCS_TJCS_GRAY => true,
            tj::TJCS_TJCS_RGB | tj::TJCS_TJCS_YCbCr => false,
            _ => return Err(Refusal::unsupported("it is a CMYK JPEG, made for a printing press")),
        };
        let precision = handle.get(tj::TJPARAM_TJPARAM_PRECISION)?;
        let lossless = handle.get(tj::TJPARAM_TJPARAM_LOSSLESS)? != 0;
        Ok(Self { handle, jpeg, width, height, precision, lossless, grey })
    }

    /// Decodes to grey; of a coloured picture that is the luma that it carries.
    pub fn grey(self) -> Result<Grey, Refusal> {
        if self.lossless && !self.grey {
            return Err(Refusal::unsupported("it is a lossless JPEG in colour"));
        }
        let pixels = self.width as usize * self.height as usize;
        let (handle, source, length) = (self.handle.0, self.jpeg.as_ptr(), self.jpeg.len() as _);
        let format = tj::TJPF_TJPF_GRAY;
        let (code, grey) = match self.precision {
            0..=8 => {
                let mut grey = vec![0u8; pixels];
                // SAFETY: the buffer holds width * height samples of the header that the handle has read from the same
                // bytes; pitch 0 means no gap between rows.
                (unsafe { tj::tj3Decompress8(handle, source, length, grey.as_mut_ptr(), 0, format) }, Grey::Eight(grey))
            }
            9..=12 => {
                let mut grey = vec![0u16; pixels];
                // SAFETY: as above; these samples are non-negative shorts, of the same size and layout as u16.
                let code = unsafe { tj::tj3Decompress12(handle, source, length, grey.as_mut_ptr().cast(), 0, format) };
                (code, Grey::Sixteen(grey))
            }
            _ => {
                let mut grey = vec![0u16; pixels];
                // SAFETY: as above.
                let code = unsafe { tj::tj3Decompress16(handle, source, length, grey.as_mut_ptr(), 0, format) };
                (code, Grey::Sixteen(grey))
            }
        };
        if code == 0 { Ok(grey) } else { Err(self.handle.refusal()) }
    }
}

impl Handle {
    fn get(&self, parameter: tj::TJPARAM) -> Result<u32, Refusal> {
        // SAFETY: the handle is live; an unset parameter reads as -1.
        let value = unsafe { tj::tj3Get(self.0, parameter as c_int) };
        u32::try_from(value).map_err(|_| Refusal::damaged("its JPEG header is incomplete"))
    }

    /// libjpeg's message for the last error; its messages hold markers and numbers, never text from the file.
    fn refusal(&self) -> Refusal {
        // SAFETY: the library returns a terminated string that lives until the next call on the handle.
        let message = unsafe { CStr::from_ptr(tj::tj3GetErrorStr(self.0)) }.to_string_lossy();
        let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        let reports = format!("libjpeg-turbo reports: {message}");
        if says(&["Premature end"]) {
            Refusal::truncated("its JPEG data end early")
        } else if says(&["exceed", "Image is too large", "Maximum supported"]) {
            Refusal::TooLarge(reports)
        } else if says(&["Unsupported JPEG", "not supported", "not implemented", "has more than"]) {
            Refusal::unsupported(reports)
        } else {
            Refusal::damaged(reports)
        }
    }
}
