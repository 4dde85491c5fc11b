//! Where the program lies that decodes.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::sync::OnceLock;

const NAME: &str = "kellgrend-decode";

/// From its folder to where it lies beside kellgrend in a build, and with its libraries once installed.
const PLACES: [&str; 2] = ["", "../lib/kellgrend"];

/// Kept open: the one of this very version is started, even where another has taken its place since.
static PROGRAM: OnceLock<File> = OnceLock::new();

/// The path of `kellgrend-decode`, for this process and what it starts.
pub fn program() -> io::Result<PathBuf> {
    let file = match PROGRAM.get() {
        Some(file) => file,
        None => {
            let found = open()?;
            PROGRAM.get_or_init(|| found)
        }
    };
    Ok(format!("/proc/self/fd/{}", file.as_raw_fd()).into())
}

fn open() -> io::Result<File> {
    let this = std::env::current_exe()?;
    let folder = this.parent().unwrap_or(&this);
    let [beside, installed] = PLACES.map(|place| folder.join(place).join(NAME));
    File::open(&beside).or_else(|_| File::open(&installed)).map_err(|error| {
        let (beside, installed) = (beside.display(), installed.display());
        io::Error::new(
            error.kind(),
            format!("neither {beside} nor {installed} can be opened ({error}): build or install both programs"),
        )
    })
}
