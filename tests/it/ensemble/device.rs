//! The device's words, and what settling says where there is no GPU.

use kellgrend::ensemble::{DeviceChoice, settle};

#[test]
fn a_device_is_read_and_written_as_the_same_word() {
    for (word, choice) in [
        ("auto", DeviceChoice::Auto),
        ("cpu", DeviceChoice::Cpu),
        ("cuda", DeviceChoice::Cuda(0)),
        ("cuda:1", DeviceChoice::Cuda(1)),
    ] {
        assert_eq!(word.parse(), Ok(choice));
        assert_eq!(choice.to_string(), word);
    }
    for word in ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x"] {
        let error = word.parse::<DeviceChoice>().expect_err("no device");
        assert!(error.contains("auto, cpu, cuda"), "{error}");
    }
}

#[test]
fn the_cpu_is_described_with_its_threads() {
    let device = settle(DeviceChoice::Cpu, 1).expect("there is a CPU");
    assert_eq!(device.device, tch::Device::Cpu);
    assert!(device.to_string().starts_with("CPU ") && device.to_string().contains(" 1 thread"), "{device}");
}

#[test]
fn without_a_gpu_auto_says_why_and_cuda_says_what_to_do() {
    let auto = settle(DeviceChoice::Auto, 0).expect("auto always finds a device");
    if auto.device.is_cuda() {
        return println!("skipped: this machine has a GPU");
    }
    let remark = auto.remark.as_deref().expect("a reason");
    assert!(remark.starts_with("no GPU is used: ") && remark.len() > 20, "{remark}");
    let error = settle(DeviceChoice::Cuda(1), 0).expect_err("no GPU").to_string();
    assert!(error.contains("cuda:1") && error.contains("auto or cpu"), "{error}");
}
