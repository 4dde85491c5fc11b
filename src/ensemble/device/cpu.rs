//! The CPU's name.

/// The model as the kernel tells it (`/proc/cpuinfo`).
pub fn model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    named.map_or("of unknown model", |(_, model)| model.trim()).to_owned()
}
