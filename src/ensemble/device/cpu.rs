//! The CPU's name, and what it can do.

/// The model as the kernel tells it (`/proc/cpuinfo`).
pub fn model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    named.map_or("of unknown model", |(_, model)| model.trim()).to_owned()
}

/// Whether it multiplies bf16 in hardware; without it, oneDNN converts each number, and float32 is faster.
#[cfg(target_arch = "x86_64")]
pub fn multiplies_bf16() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

#[cfg(not(target_arch = "x86_64"))]
pub fn multiplies_bf16() -> bool {
    false
}
